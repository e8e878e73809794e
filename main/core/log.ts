type LogLine = (fields: Readonly<Record<string, unknown>>, message: string) => void;

/** Where a module says what it does. Fields are facts for a machine, the message is for a person; neither holds a secret. */
export type Log = Readonly<{ debug: LogLine; info: LogLine; warn: LogLine; error: LogLine }>;

const silent: LogLine = () => {};

/** A log that keeps nothing, for tests and for tools that print their own output. */
export const silentLog: Log = Object.freeze({ debug: silent, info: silent, warn: silent, error: silent });

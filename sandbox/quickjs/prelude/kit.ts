/**
 * What the parts of the prelude share. Each part is one function that uses nothing but its arguments and the
 * language: its source text is what runs in the guest (see `assemble.ts`), so an import or a constant outside of the
 * function would not be there.
 */
export type HostCall = (operation: string, json: string, bytes?: ArrayBuffer) => unknown;

export type GuestEvent = Readonly<Record<string, unknown>>;

export type GuestKit = {
  /** Asks the child: JSON in, JSON out. Throws the TypeError or RangeError that the child answers with. */
  ask(operation: string, argument?: unknown, bytes?: ArrayBuffer): unknown;
  askBytes(operation: string, argument?: unknown, bytes?: ArrayBuffer): ArrayBuffer;
  askText(operation: string, argument?: unknown, bytes?: ArrayBuffer): string;
  /** Registers what happens when the child tells about something. */
  on(event: string, handler: (message: GuestEvent, bytes: ArrayBuffer | undefined) => void): void;
  /** Puts a global there as the web platform does: writable, configurable, not enumerable. */
  define(name: string, value: unknown): void;
  print(fd: 1 | 2, text: string): void;
  /** Shows an error that nobody caught and ends the program with exit code 1. */
  uncaught(error: unknown): void;
  exit(code: number): void;
  inspect(value: unknown): string;
  encode(text: string): Uint8Array<ArrayBuffer>;
  decode(bytes: Uint8Array): string;
  /** A timer that does not keep the program running. */
  startTimer(callback: () => void, delayMs: number): number;
  /** How many things the program waits for that only the host can end (timers are counted by the child). */
  waits: number;
};

/** What the child calls: one event in, the number of waits out. */
export type GuestDispatch = (json: string, value?: unknown, bytes?: ArrayBuffer) => number;

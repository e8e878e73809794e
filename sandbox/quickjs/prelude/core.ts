import type { GuestDispatch, GuestEvent, GuestKit, HostCall } from './kit.ts';

/** The bridge to the child. Its own JSON functions are kept here, so that code which replaces them breaks only itself. */
export function installCore(host: HostCall): { kit: GuestKit; dispatch: GuestDispatch } {
  const { parse, stringify } = JSON;
  const { defineProperty } = Object;
  const { isArray } = Array;
  const handlers: Record<string, ((message: GuestEvent, bytes: ArrayBuffer | undefined) => void)[]> =
    Object.create(null);
  const pieceLength = 60_000;

  /** Scalars and lists of them; not `stringify` of a list, which would ask it for a `toJSON` of the program's making. */
  function json(value: unknown): string {
    if (!isArray(value)) return stringify(value ?? null);
    let text = '';
    for (let at = 0; at < value.length; at += 1) text += (at === 0 ? '' : ',') + json(value[at]);
    return `[${text}]`;
  }

  function answer(operation: string, argument: unknown, bytes: ArrayBuffer | undefined): unknown {
    const result = host(operation, json(argument), bytes);
    if (typeof result !== 'string') return result;
    const { value, error } = parse(result);
    if (error !== undefined) throw error[0] === 'RangeError' ? new RangeError(error[1]) : new TypeError(error[1]);
    return value;
  }

  const kit: GuestKit = {
    waits: 0,
    ask: answer,
    askBytes(operation, argument, bytes) {
      const result = answer(operation, argument, bytes);
      if (!(result instanceof ArrayBuffer)) throw new TypeError(`${operation} gave no bytes`);
      return result;
    },
    askText: (operation, argument, bytes) => String(answer(operation, argument, bytes)),
    on(event, handler) {
      handlers[event] = [...(handlers[event] ?? []), handler];
    },
    define(name, value) {
      defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
    },
    print(fd, text) {
      for (let start = 0; start < text.length; ) {
        let end = start + pieceLength;
        const last = text.charCodeAt(end - 1);
        if (last >= 0xd800 && last < 0xdc00) end += 1;
        if (answer('print', [fd, text.slice(start, end)], undefined) !== true) return;
        start = end;
      }
    },
    uncaught(error) {
      let shown = 'an error that cannot be shown';
      try {
        shown = kit.inspect(error);
        if (error instanceof ReferenceError && error.message.startsWith("could not load module '")) {
          shown +=
            '\nImports are refused: only the code that the owner saw may run. Put everything into this one file.';
        }
      } catch {}
      kit.print(2, `Uncaught ${shown}\n`);
      kit.exit(1);
    },
    exit(code) {
      answer('exit', code, undefined);
      // The child now interrupts us; an exception in place of this loop could be caught by the program.
      for (;;);
    },
    inspect: String,
    encode: (text) => new Uint8Array(kit.askBytes('encode', text)),
    decode: String,
    startTimer: () => 0,
  };
  // Looks at a promise that a top-level statement threw away (see floating.ts). `then` is the original one.
  const { then } = Promise.prototype;
  kit.define('__floating', (value: unknown) => {
    if (value instanceof Promise) Reflect.apply(then, value, [undefined, (error: unknown) => kit.uncaught(error)]);
    return value;
  });

  function dispatch(json: string, value?: unknown, bytes?: ArrayBuffer): number {
    const message = parse(json);
    if (message.event === 'uncaught') kit.uncaught(value);
    for (const handler of handlers[message.event] ?? []) handler(message, bytes);
    return kit.waits;
  }
  return { kit, dispatch };
}

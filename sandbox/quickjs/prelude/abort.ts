import type { GuestKit } from './kit.ts';

/** DOMException, Event, EventTarget, AbortController and AbortSignal: as much as `fetch` and its users need. */
export function installAbort(kit: GuestKit): void {
  type Listener = { callback: unknown; once: boolean };
  const codes: Record<string, number> = { AbortError: 20, TimeoutError: 23, DataCloneError: 25 };

  class DOMException extends Error {
    constructor(message: unknown = '', name: unknown = 'Error') {
      super(String(message));
      Object.defineProperty(this, 'name', { value: String(name), configurable: true });
    }
    get code(): number {
      return codes[this.name] ?? 0;
    }
  }

  class Event {
    readonly type: string;
    target: unknown = null;
    defaultPrevented = false;
    constructor(type: unknown) {
      this.type = String(type);
    }
    preventDefault(): void {
      this.defaultPrevented = true;
    }
  }

  class EventTarget {
    readonly #listeners: Record<string, Listener[]> = Object.create(null);

    addEventListener(type: unknown, callback: unknown, options: unknown = {}): void {
      const once = typeof options === 'object' && options !== null && Boolean(Reflect.get(options, 'once'));
      const list = this.#listeners[String(type)] ?? [];
      this.#listeners[String(type)] = list;
      if (!list.some((listener) => listener.callback === callback)) list.push({ callback, once });
    }
    removeEventListener(type: unknown, callback: unknown): void {
      const list = this.#listeners[String(type)] ?? [];
      this.#listeners[String(type)] = list.filter((listener) => listener.callback !== callback);
    }
    dispatchEvent(event: Event): boolean {
      event.target = this;
      const handler: unknown = Reflect.get(this, `on${event.type}`);
      const list = [...(this.#listeners[event.type] ?? [])];
      if (typeof handler === 'function') list.push({ callback: handler, once: false });
      for (const { callback, once } of list) {
        if (once) this.removeEventListener(event.type, callback);
        try {
          if (typeof callback === 'function') Reflect.apply(callback, this, [event]);
          else if (typeof callback === 'object' && callback !== null)
            Reflect.get(callback, 'handleEvent').call(callback, event);
        } catch (error) {
          kit.uncaught(error);
        }
      }
      return !event.defaultPrevented;
    }
  }

  let abort: (signal: AbortSignal, reason: unknown) => void = () => {};
  const allowed = Symbol('construct');

  class AbortSignal extends EventTarget {
    static {
      abort = (signal, reason) => {
        if (signal.#aborted) return;
        signal.#aborted = true;
        signal.#reason = reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason;
        signal.dispatchEvent(new Event('abort'));
      };
    }
    #aborted = false;
    #reason: unknown;
    onabort: unknown = null;

    constructor(key?: unknown) {
      super();
      if (key !== allowed) throw new TypeError('Illegal constructor');
    }
    static abort(reason?: unknown): AbortSignal {
      const signal = new AbortSignal(allowed);
      abort(signal, reason);
      return signal;
    }
    static timeout(delay: unknown): AbortSignal {
      const signal = new AbortSignal(allowed);
      kit.startTimer(
        () => abort(signal, new DOMException('The operation was aborted due to timeout', 'TimeoutError')),
        Number(delay),
      );
      return signal;
    }
    static any(signals: Iterable<AbortSignal>): AbortSignal {
      const all = [...signals];
      const signal = new AbortSignal(allowed);
      for (const source of all) if (source.aborted) abort(signal, source.reason);
      for (const source of all) source.addEventListener('abort', () => abort(signal, source.reason), { once: true });
      return signal;
    }
    get aborted(): boolean {
      return this.#aborted;
    }
    get reason(): unknown {
      return this.#reason;
    }
    throwIfAborted(): void {
      if (this.#aborted) throw this.#reason;
    }
  }

  class AbortController {
    readonly signal = new AbortSignal(allowed);
    abort(reason?: unknown): void {
      abort(this.signal, reason);
    }
  }

  for (const [name, value] of Object.entries({ DOMException, Event, EventTarget, AbortSignal, AbortController })) {
    kit.define(name, value);
  }
}

import type { GuestKit } from './kit.ts';

/** Timers (counted and woken by the child), queueMicrotask, and a clock of whole milliseconds (ATTACKS 273). */
export function installTimers(kit: GuestKit): void {
  type Callback = (...values: unknown[]) => unknown;
  const timers = new Map<number, { callback: Callback; values: unknown[]; repeats: boolean }>();
  const mostDelayMs = 2_147_483_647;
  let startedAt = Date.now();
  let lastId = 0;

  function start(callback: unknown, delay: unknown, values: unknown[], repeats: boolean, keepsAlive = true): number {
    if (typeof callback !== 'function') throw new TypeError('the first argument of a timer must be a function');
    const wanted = Math.trunc(Number(delay));
    const delayMs = wanted >= 1 && wanted <= mostDelayMs ? wanted : 1;
    lastId += 1;
    kit.ask('timer', [lastId, delayMs, repeats, keepsAlive]);
    timers.set(lastId, { callback: (...args) => Reflect.apply(callback, undefined, args), values, repeats });
    return lastId;
  }

  function stop(id: unknown): void {
    const number = Number(id);
    if (timers.delete(number)) kit.ask('untimer', number);
  }

  kit.on('timer', (message) => {
    const id = Number(message.id);
    const timer = timers.get(id);
    if (timer === undefined) return;
    if (!timer.repeats) timers.delete(id);
    try {
      timer.callback(...timer.values);
    } catch (error) {
      kit.uncaught(error);
    }
  });

  kit.define('setTimeout', (callback: unknown, delay?: unknown, ...values: unknown[]) =>
    start(callback, delay, values, false),
  );
  kit.define('setInterval', (callback: unknown, delay?: unknown, ...values: unknown[]) =>
    start(callback, delay, values, true),
  );
  kit.define('clearTimeout', stop);
  kit.define('clearInterval', stop);
  kit.define('setImmediate', (callback: unknown, ...values: unknown[]) => start(callback, 1, values, false));
  kit.define('clearImmediate', stop);
  kit.define('queueMicrotask', (callback: unknown) => {
    if (typeof callback !== 'function') throw new TypeError('queueMicrotask needs a function');
    Promise.resolve().then(() => {
      try {
        callback();
      } catch (error) {
        kit.uncaught(error);
      }
    });
  });
  // The engine stands ready long before its program starts.
  kit.on('environment', () => {
    startedAt = Date.now();
  });
  kit.define('performance', {
    now: () => Date.now() - startedAt,
    get timeOrigin() {
      return startedAt;
    },
  });
  kit.startTimer = (callback, delayMs) => start(callback, delayMs, [], false, false);
  // Shared memory would make a fine clock, and there is no second thread to share with.
  Reflect.deleteProperty(globalThis, 'SharedArrayBuffer');
}

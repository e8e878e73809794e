import type { GuestKit } from './kit.ts';

/** `structuredClone` of the types that the language itself has; anything else is a DataCloneError, as in the standard. */
export function installClone(kit: GuestKit): void {
  function refused(value: unknown): Error {
    const error = new Error(`${kit.inspect(value)} could not be cloned.`);
    error.name = 'DataCloneError';
    return error;
  }

  function clone(value: unknown, seen: Map<object, unknown>): unknown {
    if (typeof value === 'function' || typeof value === 'symbol') throw refused(value);
    if (typeof value !== 'object' || value === null) return value;
    if (seen.has(value)) return seen.get(value);
    const keep = <T>(copy: T): T => {
      seen.set(value, copy);
      return copy;
    };
    if (Array.isArray(value)) {
      const copy: unknown[] = keep(new Array(value.length));
      for (const key of Object.keys(value)) Reflect.set(copy, key, clone(Reflect.get(value, key), seen));
      return copy;
    }
    if (value instanceof Date) return keep(new Date(value.getTime()));
    if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
    if (value instanceof ArrayBuffer) return keep(value.slice(0));
    if (ArrayBuffer.isView(value)) {
      const buffer = value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength);
      return keep(Reflect.construct(Reflect.get(value, 'constructor'), [buffer]));
    }
    if (value instanceof Map) {
      const copy = keep(new Map<unknown, unknown>());
      for (const [key, inner] of value) copy.set(clone(key, seen), clone(inner, seen));
      return copy;
    }
    if (value instanceof Set) {
      const copy = keep(new Set<unknown>());
      for (const inner of value) copy.add(clone(inner, seen));
      return copy;
    }
    if (value instanceof Error) {
      const kinds: Record<string, ErrorConstructor> = {
        EvalError,
        RangeError,
        ReferenceError,
        SyntaxError,
        TypeError,
        URIError,
      };
      const copy = keep(new (kinds[value.name] ?? Error)(value.message));
      Reflect.defineProperty(copy, 'stack', { value: value.stack, writable: true, configurable: true });
      if ('cause' in value) Reflect.defineProperty(copy, 'cause', { value: clone(value.cause, seen), writable: true });
      return copy;
    }
    if (value instanceof Number || value instanceof String || value instanceof Boolean)
      return keep(Object(value.valueOf()));
    if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet) throw refused(value);
    const copy: Record<string, unknown> = keep({});
    for (const key of Object.keys(value)) copy[key] = clone(Reflect.get(value, key), seen);
    return copy;
  }

  kit.define('structuredClone', (value: unknown) => clone(value, new Map()));
}

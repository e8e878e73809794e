import type { GuestKit } from './kit.ts';

/** `Headers`: names and values are checked here as the standard asks, and judged again by the gateway. */
export function installHeaders(kit: GuestKit): void {
  const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
  const custom = Symbol.for('nodejs.util.inspect.custom');
  const listOf = (value: object): unknown[] => Reflect.apply(Array.from, Array, [value]);

  function checkedName(name: unknown): string {
    const text = String(name);
    if (!token.test(text)) throw new TypeError(`Headers: ${kit.inspect(text)} is an invalid header name.`);
    return text.toLowerCase();
  }

  function checkedValue(value: unknown): string {
    const text = String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (code === 0 || code === 10 || code === 13 || code > 255) {
        throw new TypeError(`Headers: ${kit.inspect(text)} is an invalid header value.`);
      }
    }
    return text;
  }

  class Headers {
    readonly #values = new Map<string, string[]>();

    constructor(init?: unknown) {
      if (init === undefined || init === null) return;
      if (typeof init !== 'object') throw new TypeError('Headers: expected an object or a list of pairs');
      const isList = typeof Reflect.get(init, Symbol.iterator) === 'function';
      for (const entry of isList ? listOf(init) : Object.entries(init)) {
        const pair = typeof entry === 'object' && entry !== null ? listOf(entry) : [];
        if (pair.length !== 2) throw new TypeError('Headers: each pair must be [name, value]');
        this.append(pair[0], pair[1]);
      }
    }
    append(name: unknown, value: unknown): void {
      const key = checkedName(name);
      this.#values.set(key, [...(this.#values.get(key) ?? []), checkedValue(value)]);
    }
    set(name: unknown, value: unknown): void {
      this.#values.set(checkedName(name), [checkedValue(value)]);
    }
    delete(name: unknown): void {
      this.#values.delete(checkedName(name));
    }
    has(name: unknown): boolean {
      return this.#values.has(checkedName(name));
    }
    get(name: unknown): string | null {
      return this.#values.get(checkedName(name))?.join(', ') ?? null;
    }
    getSetCookie(): string[] {
      return [...(this.#values.get('set-cookie') ?? [])];
    }
    forEach(callback: (value: string, name: string, headers: Headers) => void): void {
      for (const [name, value] of this) callback(value, name, this);
    }
    *entries(): Generator<[string, string]> {
      for (const name of [...this.#values.keys()].sort()) {
        const values = this.#values.get(name) ?? [];
        if (name === 'set-cookie') for (const value of values) yield [name, value];
        else yield [name, values.join(', ')];
      }
    }
    *keys(): Generator<string> {
      for (const [name] of this) yield name;
    }
    *values(): Generator<string> {
      for (const [, value] of this) yield value;
    }
    [Symbol.iterator](): Generator<[string, string]> {
      return this.entries();
    }
    [custom](): string {
      const shown = [...this].map(([name, value]) => `  ${kit.inspect(name)}: ${kit.inspect(value)}`);
      return shown.length === 0 ? 'Headers {}' : `Headers {\n${shown.join(',\n')}\n}`;
    }
  }

  kit.define('Headers', Headers);
}

import type { GuestKit } from './kit.ts';

/** URL and URLSearchParams. The child's own URL parser does the work: one URL standard in the whole path. */
export function installUrl(kit: GuestKit): void {
  type Parts = Record<string, string>;
  type Pair = [string, string];
  const custom = Symbol.for('nodejs.util.inspect.custom');

  function partsOf(value: unknown): Parts {
    const parts: Parts = Object.create(null);
    if (typeof value === 'object' && value !== null) {
      for (const [key, part] of Object.entries(value)) parts[key] = String(part);
    }
    return parts;
  }

  function pairsOf(value: unknown): Pair[] {
    return Array.isArray(value) ? value.map((pair) => [String(pair[0]), String(pair[1])]) : [];
  }

  const parseQuery = (text: string): Pair[] => pairsOf(kit.ask('parse_query', text));
  const listOf = (value: object): unknown[] => Reflect.apply(Array.from, Array, [value]);
  const isIterable = (value: object) => typeof Reflect.get(value, Symbol.iterator) === 'function';
  // How the two classes reach into each other, without a public way for the program to do so.
  let bind: (params: URLSearchParams, changed: () => void) => void = () => {};
  let reset: (params: URLSearchParams, search: string) => void = () => {};

  class URLSearchParams {
    #pairs: Pair[] = [];
    #changed: (() => void) | null = null;

    constructor(init: unknown = '') {
      if (typeof init === 'object' && init !== null) {
        for (const entry of isIterable(init) ? listOf(init) : Object.entries(init)) {
          const pair = typeof entry === 'object' && entry !== null ? listOf(entry) : [];
          if (pair.length !== 2) throw new TypeError('each query pair must be an iterable [name, value] tuple');
          this.#pairs.push([String(pair[0]), String(pair[1])]);
        }
      } else this.#pairs = parseQuery(String(init).replace(/^\?/, ''));
    }
    static {
      bind = (params, changed) => {
        params.#changed = changed;
      };
      reset = (params, search) => {
        params.#pairs = parseQuery(search.replace(/^\?/, ''));
      };
    }
    get size(): number {
      return this.#pairs.length;
    }
    append(name: unknown, value: unknown): void {
      this.#pairs.push([String(name), String(value)]);
      this.#changed?.();
    }
    delete(name: unknown, value?: unknown): void {
      this.#pairs = this.#pairs.filter(
        ([key, held]) => key !== String(name) || (value !== undefined && held !== String(value)),
      );
      this.#changed?.();
    }
    get(name: unknown): string | null {
      return this.#pairs.find(([key]) => key === String(name))?.[1] ?? null;
    }
    getAll(name: unknown): string[] {
      return this.#pairs.filter(([key]) => key === String(name)).map(([, value]) => value);
    }
    has(name: unknown, value?: unknown): boolean {
      return this.#pairs.some(([key, held]) => key === String(name) && (value === undefined || held === String(value)));
    }
    set(name: unknown, value: unknown): void {
      const key = String(name);
      const at = this.#pairs.findIndex(([held]) => held === key);
      if (at < 0) this.#pairs.push([key, String(value)]);
      else {
        this.#pairs = this.#pairs.filter(([held], index) => held !== key || index === at);
        this.#pairs[at] = [key, String(value)];
      }
      this.#changed?.();
    }
    sort(): void {
      this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
      this.#changed?.();
    }
    forEach(callback: (value: string, name: string, params: URLSearchParams) => void): void {
      for (const [name, value] of this.#pairs) callback(value, name, this);
    }
    *entries(): Generator<Pair> {
      for (const [name, value] of this.#pairs) yield [name, value];
    }
    *keys(): Generator<string> {
      for (const [name] of this.#pairs) yield name;
    }
    *values(): Generator<string> {
      for (const [, value] of this.#pairs) yield value;
    }
    [Symbol.iterator](): Generator<Pair> {
      return this.entries();
    }
    toString(): string {
      return kit.askText('show_query', this.#pairs);
    }
    [custom](): string {
      const shown = this.#pairs.map(([name, value]) => `${kit.inspect(name)} => ${kit.inspect(value)}`);
      return shown.length === 0 ? 'URLSearchParams {}' : `URLSearchParams { ${shown.join(', ')} }`;
    }
  }

  class URL {
    static {
      for (const name of [
        'href',
        'protocol',
        'username',
        'password',
        'host',
        'hostname',
        'port',
        'pathname',
        'search',
        'hash',
      ]) {
        Object.defineProperty(URL.prototype, name, {
          get(this: URL) {
            return this.#part(name);
          },
          set(this: URL, value: unknown) {
            this.#change(name, String(value));
            reset(this.#params, this.#part('search'));
          },
          enumerable: true,
          configurable: true,
        });
      }
    }
    #parts: Parts;
    readonly #params: URLSearchParams;

    constructor(href: unknown, base?: unknown) {
      this.#parts = partsOf(kit.ask('url', [String(href), base === undefined ? null : String(base), null, null]));
      this.#params = new URLSearchParams(this.#part('search'));
      bind(this.#params, () => this.#change('search', this.#params.toString()));
    }
    static canParse(href: unknown, base?: unknown): boolean {
      return URL.parse(href, base) !== null;
    }
    static parse(href: unknown, base?: unknown): URL | null {
      try {
        return new URL(href, base);
      } catch {
        return null;
      }
    }
    #part(name: string): string {
      return this.#parts[name] ?? '';
    }
    #change(name: string, value: string): void {
      this.#parts = partsOf(kit.ask('url', [this.#part('href'), null, name, value]));
    }
    get origin(): string {
      return this.#part('origin');
    }
    get searchParams(): URLSearchParams {
      return this.#params;
    }
    toString(): string {
      return this.#part('href');
    }
    toJSON(): string {
      return this.#part('href');
    }
    [custom](): string {
      const names = [
        'href',
        'origin',
        'protocol',
        'username',
        'password',
        'host',
        'hostname',
        'port',
        'pathname',
        'search',
      ];
      const lines = names.map((name) => `  ${name}: ${kit.inspect(this.#part(name))}`);
      lines.push(`  searchParams: ${kit.inspect(this.#params)}`, `  hash: ${kit.inspect(this.#part('hash'))}`);
      return `URL {\n${lines.join(',\n')}\n}`;
    }
  }

  kit.define('URL', URL);
  kit.define('URLSearchParams', URLSearchParams);
}

/** What a strict reader of RFC 8259 makes of a text, and what is odd about it. */
export type SlowJson = Readonly<{
  depth: number;
  repeatsKey: boolean;
  /** A key `__proto__`. */
  hasProto: boolean;
  /** Half of a surrogate pair, as a character or as an escape. */
  hasHalf: boolean;
  /** Every string that is a value: the keys and indexes on the way to it, and where its inside begins and ends. */
  strings: readonly Readonly<{ path: readonly string[]; start: number; end: number }>[];
}>;

class NoJson extends Error {}

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

// This reader is recursive; whatever is deeper is refused for its depth anyway.
const usualDepth = 500;

/** Reads character by character and by recursion, with nothing of the platform's own reader. */
class Reader {
  readonly #text: string;
  readonly #maxDepth: number;
  readonly #path: string[] = [];
  readonly strings: SlowJson['strings'][number][] = [];
  #at = 0;
  depth = 0;
  repeatsKey = false;
  hasProto = false;
  hasHalf = false;

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  whole(): void {
    this.#value(0);
    this.#space();
    if (this.#at < this.#text.length) throw new NoJson();
  }

  #peek(): string {
    return this.#text.charAt(this.#at);
  }

  #take(wanted: string): void {
    for (const letter of wanted) {
      if (this.#peek() !== letter) throw new NoJson();
      this.#at += 1;
    }
  }

  #space(): void {
    while (this.#peek() !== '' && ' \t\r\n'.includes(this.#peek())) this.#at += 1;
  }

  #value(depth: number): void {
    this.#space();
    const first = this.#peek();
    if (first === '{' || first === '[') this.#group(first === '{', depth + 1);
    else if (first === '"') this.#stringValue();
    else if (first === 't') this.#take('true');
    else if (first === 'f') this.#take('false');
    else if (first === 'n') this.#take('null');
    else this.#number();
    this.#space();
  }

  #group(isObject: boolean, depth: number): void {
    this.depth = Math.max(this.depth, depth);
    if (depth > this.#maxDepth) throw new NoJson();
    const end = isObject ? '}' : ']';
    const keys: string[] = [];
    this.#at += 1;
    this.#space();
    if (this.#peek() === end) {
      this.#at += 1;
      return;
    }
    for (let index = 0; ; index += 1) {
      if (isObject) this.#key(keys);
      this.#path.push(isObject ? (keys.at(-1) ?? '') : String(index));
      this.#value(depth);
      this.#path.pop();
      if (this.#peek() === end) break;
      this.#take(',');
    }
    this.#at += 1;
  }

  #stringValue(): void {
    const start = this.#at + 1;
    this.#string();
    this.strings.push({ path: [...this.#path], start, end: this.#at - 1 });
  }

  #key(keys: string[]): void {
    this.#space();
    const key = this.#string();
    this.#space();
    this.#take(':');
    if (keys.includes(key)) this.repeatsKey = true;
    if (key === '__proto__') this.hasProto = true;
    keys.push(key);
  }

  #string(): string {
    this.#take('"');
    let content = '';
    while (this.#peek() !== '"') {
      const letter = this.#peek();
      if (letter === '' || letter < ' ') throw new NoJson();
      this.#at += 1;
      content += letter === '\\' ? this.#escape() : letter;
    }
    this.#at += 1;
    if (/\p{Surrogate}/u.test(content)) this.hasHalf = true;
    return content;
  }

  #escape(): string {
    const kind = this.#peek();
    this.#at += 1;
    if (kind !== 'u') {
      const meant = Object.hasOwn(escapes, kind) ? escapes[kind] : undefined;
      if (meant === undefined) throw new NoJson();
      return meant;
    }
    let code = 0;
    for (let digit = 0; digit < 4; digit += 1) {
      const value = this.#peek() === '' ? -1 : '0123456789abcdef'.indexOf(this.#peek().toLowerCase());
      if (value < 0) throw new NoJson();
      code = code * 16 + value;
      this.#at += 1;
    }
    return String.fromCharCode(code);
  }

  #digits(): number {
    const from = this.#at;
    while (this.#peek() >= '0' && this.#peek() <= '9') this.#at += 1;
    if (this.#at === from) throw new NoJson();
    return this.#at - from;
  }

  #number(): void {
    if (this.#peek() === '-') this.#at += 1;
    const leadsWithZero = this.#peek() === '0';
    if (this.#digits() > 1 && leadsWithZero) throw new NoJson();
    if (this.#peek() === '.') {
      this.#at += 1;
      this.#digits();
    }
    if (this.#peek().toLowerCase() !== 'e' || this.#peek() === '') return;
    this.#at += 1;
    if ('+-'.includes(this.#peek()) && this.#peek() !== '') this.#at += 1;
    this.#digits();
  }
}

/** Null for a text that is no JSON, or is nested more than so many levels deep (500 unless told, at most 600). */
export function slowJson(text: string, maxDepth = usualDepth): SlowJson | null {
  const reader = new Reader(text, maxDepth);
  try {
    reader.whole();
  } catch (error) {
    if (error instanceof NoJson) return null;
    throw error;
  }
  const { depth, repeatsKey, hasProto, hasHalf, strings } = reader;
  return { depth, repeatsKey, hasProto, hasHalf, strings };
}

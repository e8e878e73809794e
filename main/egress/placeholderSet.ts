import type { EgressSecret } from '../core/egressSpec.ts';
import { PLACEHOLDER_PATTERN } from '../core/placeholder.ts';

const maxDecodings = 3;

/** `%41` -> `A`, whatever else the text is: a decoder that never throws and never guesses an encoding. */
export function percentDecoded(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_match, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** The text, and what it becomes when a server decodes it again and again. Lower case, since a host name folds. */
function readings(text: string): readonly string[] {
  const found = [text.toLowerCase()];
  let current = text;
  for (let round = 0; round < maxDecodings && current.includes('%'); round += 1) {
    current = percentDecoded(current);
    found.push(current.toLowerCase());
  }
  return found;
}

/** The placeholders of one run: finds them in what goes out and swaps them. */
export class PlaceholderSet {
  readonly #byPlaceholder: ReadonlyMap<string, EgressSecret>;
  readonly #pattern: RegExp | null;
  readonly #bytes: readonly Buffer[];

  constructor(secrets: readonly EgressSecret[]) {
    this.#byPlaceholder = new Map(secrets.map((secret) => [secret.placeholder, secret]));
    const longestFirst = [...this.#byPlaceholder.keys()].sort((left, right) => right.length - left.length);
    const escaped = longestFirst.map((text) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
    this.#pattern = escaped.length === 0 ? null : new RegExp(escaped.join('|'), 'g');
    this.#bytes = longestFirst.map((text) => Buffer.from(text));
  }

  /** All secrets of the run. */
  get secrets(): readonly EgressSecret[] {
    return [...this.#byPlaceholder.values()];
  }

  /** Secrets whose placeholder stands in the text, letter for letter. */
  standingIn(text: string): readonly EgressSecret[] {
    return [...this.#byPlaceholder.values()].filter((secret) => text.includes(secret.placeholder));
  }

  /** The same, also percent-encoded (up to three times over) or in other case: for places where none belongs. */
  hiddenIn(text: string): readonly EgressSecret[] {
    if (this.#byPlaceholder.size === 0) return [];
    const texts = readings(text);
    return [...this.#byPlaceholder.values()].filter((secret) => {
      const placeholder = secret.placeholder.toLowerCase();
      return texts.some((reading) => reading.includes(placeholder));
    });
  }

  /** One pass: what comes out of a swap is never looked at again (ATTACKS E88). */
  swap(text: string, replacement: (secret: EgressSecret) => string): string {
    if (this.#pattern === null) return text;
    return text.replace(this.#pattern, (placeholder) => {
      const secret = this.#byPlaceholder.get(placeholder);
      return secret === undefined ? placeholder : replacement(secret);
    });
  }

  /** Tokens that look like a placeholder but belong to no secret of this run. */
  foreignIn(text: string): readonly string[] {
    return [...this.swap(text, () => ' ').matchAll(PLACEHOLDER_PATTERN)].map((match) => match[0]);
  }

  /** Looks at a body as it goes by, across chunk borders; says once seen, always seen. */
  watch(): (chunk: Uint8Array) => boolean {
    const overlap = Math.max(0, ...this.#bytes.map((bytes) => bytes.length - 1));
    let tail = Buffer.alloc(0);
    let seen = false;
    return (chunk) => {
      if (seen || this.#bytes.length === 0) return seen;
      const window = Buffer.concat([tail, chunk]);
      seen = this.#bytes.some((bytes) => window.includes(bytes));
      tail = overlap === 0 ? Buffer.alloc(0) : window.subarray(-overlap);
      return seen;
    };
  }
}

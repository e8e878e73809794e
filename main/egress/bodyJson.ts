import type { JsonPointer } from '../core/jsonPointer.ts';

/** A string value of a JSON text: where its inside (without the quotes) begins and ends, and which pointer leads to it. */
export type JsonField = Readonly<{ pointer: JsonPointer; start: number; end: number }>;

/** Why a text is not taken for JSON that everybody reads alike. */
export class JsonTextError extends Error {
  readonly reason: 'not_json' | 'too_deep' | 'duplicate_key';

  constructor(reason: JsonTextError['reason']) {
    super(reason);
    this.name = 'JsonTextError';
    this.reason = reason;
  }
}

/** An object or array that is open. `within`: the pointers that lead into it. */
type Frame = { readonly keys: Set<string> | null; readonly within: readonly JsonPointer[]; index: number };

// In a text that is known to be JSON nothing else has a structure; numbers and words lie between.
const structure = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],]/g;

/** No API takes more; what is nested a hundred thousand times keeps the reader busy for a sixth of a second. */
const maxDepth = 512;
const [quote, backslash] = [34, 92];

/** Said before anything is built for each level. In what turns out not to be JSON it may be wrong, which is no matter. */
function isDeep(text: string): boolean {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === quote) isInString = !isInString;
    else if (isInString && unit === backslash) at += 1;
    else if (isInString) continue;
    // [ and {, ] and }: the latter of each pair has one bit more.
    else if ((unit | 32) === 123) depth += 1;
    else if ((unit | 32) === 125) depth -= 1;
    if (depth > maxDepth) return true;
  }
  return false;
}

function checkJson(text: string): void {
  if (isDeep(text)) throw new JsonTextError('too_deep');
  try {
    JSON.parse(text);
  } catch {
    throw new JsonTextError('not_json');
  }
}

/** The key that this token says. Throws JsonTextError for one that its object has already. */
function keyOf(token: string, keys: Set<string>): string {
  const key = String(JSON.parse(token));
  // RFC 8259, section 4: which of two values counts differs from reader to reader.
  if (keys.has(key)) throw new JsonTextError('duplicate_key');
  keys.add(key);
  return key;
}

/**
 * Finds the string values that the pointers lead to, in the order of the text, which itself is not touched: numbers, white
 * space and order stay what they are. Throws JsonTextError for what is not JSON, is nested deeper than 512 levels, or holds a key twice in any object.
 */
export function jsonFields(text: string, pointers: readonly JsonPointer[]): readonly JsonField[] {
  checkJson(text);
  const found: JsonField[] = [];
  const open: Frame[] = [];
  /** Pointers that lead to the value that comes next, or into it. */
  let ahead = pointers;
  let keyIsNext = false;
  const step = ({ within }: Frame, token: string): void => {
    ahead = within.filter((pointer) => pointer[open.length - 1] === token);
  };
  for (const { 0: token, index: at } of text.matchAll(structure)) {
    const frame = open.at(-1);
    if (token === '{' || token === '[') {
      const inner: Frame = { keys: token === '{' ? new Set() : null, within: ahead, index: 0 };
      open.push(inner);
      keyIsNext = inner.keys !== null;
      if (inner.keys === null) step(inner, '0');
    } else if (token === '}' || token === ']') {
      open.pop();
    } else if (token === ',') {
      if (frame === undefined) continue;
      frame.index += 1;
      keyIsNext = frame.keys !== null;
      if (frame.keys === null) step(frame, String(frame.index));
    } else if (keyIsNext && frame?.keys) {
      keyIsNext = false;
      step(frame, keyOf(token, frame.keys));
    } else {
      const pointer = ahead.find((candidate) => candidate.length === open.length);
      if (pointer !== undefined) found.push({ pointer, start: at + 1, end: at + token.length - 1 });
    }
  }
  return found;
}

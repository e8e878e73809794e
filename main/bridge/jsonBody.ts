import { CodedError } from '../../contract/errors.ts';

const maxDepth = 32;

/**
 * Reads a JSON body that every reader understands in one way: valid UTF-8, no key twice, no `__proto__`, no half of a
 * surrogate pair, at most 32 levels. Throws CodedError `invalid_request`; the message never quotes the body.
 */
export function readJson(bytes: Uint8Array): unknown {
  if (bytes.byteLength === 0) throw invalid('The body is empty; send a JSON object');
  const text = decode(bytes);
  const value = parse(text);
  inspect(text);
  return value;
}

function invalid(message: string): CodedError {
  return new CodedError('invalid_request', message);
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalid('The body is not valid UTF-8');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('The body is not valid JSON');
  }
}

/** Walks over text that is known to be JSON and refuses what `JSON.parse` silently lets pass. */
function inspect(text: string): void {
  // One entry for each open bracket: the keys of an object so far, or null for an array.
  const open: (Set<string> | null)[] = [];
  let keyNext = false;
  const structure = /["{}[\],:]/g;
  for (let match = structure.exec(text); match !== null; match = structure.exec(text)) {
    switch (match[0]) {
      case '"': {
        structure.lastIndex = stringEnd(text, match.index);
        const literal = text.slice(match.index, structure.lastIndex);
        const content = literal.includes('\\u') || (keyNext && literal.includes('\\')) ? contentOf(literal) : literal;
        if (keyNext) addKey(open.at(-1), content === literal ? literal.slice(1, -1) : content);
        break;
      }
      case '{':
      case '[':
        if (open.length >= maxDepth) throw invalid(`The body is nested deeper than ${maxDepth} levels`);
        open.push(match[0] === '{' ? new Set() : null);
        keyNext = match[0] === '{';
        break;
      case ',':
        keyNext = open.at(-1) !== null;
        break;
      case ':':
        keyNext = false;
        break;
      default:
        open.pop();
        keyNext = false;
    }
  }
}

function addKey(keys: Set<string> | null | undefined, key: string): void {
  if (key === '__proto__') throw invalid('The key __proto__ is not allowed');
  if (keys?.has(key) === true) throw invalid('A key stands twice in the same object');
  keys?.add(key);
}

/** Index after the closing quote of the string that opens at `start`. */
function stringEnd(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return end + 1;
  }
  return text.length;
}

function contentOf(literal: string): string {
  const content: unknown = JSON.parse(literal);
  if (typeof content !== 'string' || /\p{Surrogate}/u.test(content)) {
    throw invalid('The body holds text that is not valid Unicode');
  }
  return content;
}

/** Shorter pieces of a secret would mask ordinary words. */
const minTermLength = 8;
/** A longer value is looked for by its pieces only, where it has any: the search stays small. */
const maxWholeLength = 1024;

const pemBoundary = /^-----(?:BEGIN|END) [A-Z0-9 ]+-----$/;

/**
 * The texts to look for when a secret must not show: the value, and for values of several lines or JSON documents also
 * each line and each string in it of at least 8 characters, because such values are printed in parts.
 */
export function secretTerms(value: string): readonly string[] {
  if (value.length === 0) return [];
  const strings = jsonStrings(value);
  const pieces = strings.flatMap(linePieces);
  // The lines of a JSON document are mostly its keys; its strings are what is secret.
  const terms = new Set(strings.length > 0 ? pieces : linePieces(value));
  if (value.length <= maxWholeLength || terms.size === 0) terms.add(value);
  return [...terms];
}

/** The lines of a text that are long enough; a shorter one is taken together with the line before it. */
function linePieces(text: string): readonly string[] {
  const lines = text
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !pemBoundary.test(line));
  const pieces = lines.map((line, index) =>
    line.length < minTermLength && index > 0 ? `${lines[index - 1]}\n${line}` : line,
  );
  return pieces.filter((piece) => piece.length >= minTermLength);
}

/** All string values inside a JSON object or array; none when the text is not JSON. */
function jsonStrings(text: string): readonly string[] {
  if (!/^\s*[[{]/.test(text)) return [];
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return [];
  }
  const found: string[] = [];
  const waiting: unknown[] = [parsed];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value === 'string') found.push(value);
    else if (typeof value === 'object' && value !== null) waiting.push(...Object.values(value));
  }
  return found;
}

/** Shorter pieces of a secret would mask ordinary words. */
const minTermLength = 8;

const pemBoundary = /^-----(?:BEGIN|END) [A-Z0-9 ]+-----$/;

/**
 * The texts to look for when a secret must not show: the value, and for values of several lines or JSON documents also
 * each line and each string in it of at least 8 characters, because such values are printed in parts.
 */
export function secretTerms(value: string): readonly string[] {
  if (value.length === 0) return [];
  const pieces = [value, ...jsonStrings(value)].flatMap((text) => [text, ...text.split(/\r\n|\r|\n/).map(trimLine)]);
  const terms = pieces.filter((piece) => piece.length >= minTermLength && !pemBoundary.test(piece));
  return [...new Set([value, ...terms])];
}

const trimLine = (line: string): string => line.trim();

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

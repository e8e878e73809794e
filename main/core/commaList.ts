/** The entries of a comma list, without the blanks around them; empty ones do not count. */
export function commaList(text: string): readonly string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

/**
 * Text on a terminal. Agents choose some of what is printed here, so control, format and bidi characters are spelled
 * out: a terminal must neither obey nor hide them.
 */
const unsafe = /[^\P{C}\n]|[\u2028\u2029]/gu;
const spell = (character: string): string => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;

/** Keeps line breaks; everything else that is not seen is spelled out. */
export function visible(text: string): string {
  return text.replace(unsafe, spell);
}

/** JSON whose strings hold no character that a terminal could obey; still the same JSON. */
export function json(value: unknown): string {
  const text = JSON.stringify(value, null, 2);
  return text.replace(unsafe, (character) =>
    [...Array(character.length).keys()]
      .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map(cell).join(', ');
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  const text = typeof value === 'object' ? JSON.stringify(value) : `${value}`;
  return visible(text).replaceAll('\n', '\\n');
}

/** Columns of equal width, with the keys of the rows as heads. */
export function table(rows: readonly object[], columns: readonly string[]): string {
  if (rows.length === 0) return 'none';
  const cells = rows.map((row) => {
    const facts = new Map<string, unknown>(Object.entries(row));
    return columns.map((column) => cell(facts.get(column)));
  });
  const lines = [columns.map((column) => column.toUpperCase().replaceAll('_', ' ')), ...cells];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => (line[index] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((text, index) => text.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** One fact a line. */
export function facts(value: object): string {
  const entries = Object.entries(value);
  const width = Math.max(0, ...entries.map(([key]) => key.length));
  return entries.map(([key, entry]) => `${key.padEnd(width)}  ${cell(entry)}`).join('\n');
}

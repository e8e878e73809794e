/** A test that `docs/THREAT-MODEL.md` names: a file, and words that stand in a title of it. */
export type Citation = Readonly<{ file: string; title: string }>;

export type ClaimRow = Readonly<{
  claim: string;
  citations: readonly Citation[] /** Said instead of a test. */;
  without: string;
}>;

const cellsOf = (line: string): readonly string[] =>
  line
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim());

/** A bare name is one of `tests/attacks`. */
const fileOf = (name: string): string => `${name.includes('/') ? name : `tests/attacks/${name}`}.test.ts`;

/** `` `a` “one” · “two” · `b/c` “three” ``: each title belongs to the file before it. */
function citationsIn(cell: string): readonly Citation[] {
  const citations: Citation[] = [];
  let file = '';
  for (const { groups = {} } of cell.matchAll(/`(?<name>[\w/-]+)`|“(?<title>[^”]+)”/g)) {
    if (groups.name !== undefined) file = fileOf(groups.name);
    else citations.push({ file, title: groups.title ?? '' });
  }
  return citations;
}

/** The rows of all tables whose last column is `shown by`. */
export function claimRows(markdown: string): readonly ClaimRow[] {
  const rows: ClaimRow[] = [];
  let shown = false;
  for (const line of markdown.split('\n')) {
    if (!line.startsWith('|')) shown = false;
    else if (cellsOf(line).at(-1) === 'shown by') shown = true;
    else if (shown && !/^\|[-|]+$/.test(line)) {
      const cells = cellsOf(line);
      const last = cells.at(-1) ?? '';
      rows.push({ claim: cells.join(' | '), citations: citationsIn(last), without: last.includes('“') ? '' : last });
    }
  }
  return rows;
}

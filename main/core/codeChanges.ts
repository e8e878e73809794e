import type { CardChange } from '../../contract/card.ts';
import type { CodePlace, CodeReport } from '../../contract/codeReport.ts';
import { linesOf } from './codeReport.ts';
import { countHidden, maxBlankLines, maxSpaces } from './display.ts';
import { isIpLiteral } from './host.ts';
import { listInProse, prose } from './prose.ts';

/** Code with what was seen in it. */
export type ReadCode = Readonly<{ text: string; report: CodeReport }>;

const longLine = 1000;
const mostNamed = 4;

/** What code does that it did not do when it was approved: one sentence each, with its lines. */
export function codeChanges(before: ReadCode, now: ReadCode): readonly CardChange[] {
  const changes: CardChange[] = [];
  const add = (severity: CardChange['severity'], kind: string, text: CardChange['text']): void => {
    changes.push({ kind, severity, text });
  };
  const report = now.report;
  const dynamic = added(before.report.dynamicCode, report.dynamicCode);
  const decoding = added(placesOf(before.text, decodes), placesOf(now.text, decodes));
  const encoded = placesOf(now.text, encodedText).length > placesOf(before.text, encodedText).length;
  if (dynamic.length > 0) {
    const hidden = decoding.length > 0 || encoded ? prose`, and decodes text that nobody can read` : prose``;
    add('danger', 'dynamic', prose`new in the code: it runs text as code (${where(dynamic)})${hidden}`);
  } else if (decoding.length > 0 || encoded) {
    const decoded = decoding.length === 0 ? prose`` : prose` that it decodes (${linesOf(decoding)})`;
    add('warn', 'encoded', prose`new in the code: text that nobody can read${decoded}`);
  }
  const programs = added(before.report.subprocesses, report.subprocesses);
  if (programs.length > 0) add('danger', 'subprocess', prose`new in the code: it starts programs (${where(programs)})`);
  const imports = added(before.report.imports.map(asPlace), report.imports.map(asPlace));
  if (imports.length > 0) {
    const names = listInProse([...new Set(imports.map(({ what }) => what))].slice(0, mostNamed));
    add('warn', 'import', prose`new in the code: it imports ${names} (${linesOf(imports)})`);
  }
  const files = added(before.report.fileAccess, report.fileAccess);
  if (files.length > 0) add('warn', 'files', prose`new in the code: it reads or writes files (${where(files)})`);
  if (report.envAccessAll && !before.report.envAccessAll) {
    add('warn', 'environment', prose`new in the code: it reads its whole environment`);
  }
  const unseen = added(hiddenPlaces(before.text), hiddenPlaces(now.text));
  if (unseen.length > 0) {
    add('danger', 'invisible', prose`new in the code: characters that cannot be seen (${linesOf(unseen)})`);
  }
  const away = added(outOfSight(before.text), outOfSight(now.text));
  if (away.length > 0) {
    add('danger', 'hidden', prose`new in the code: text far out of sight, behind blank space (${linesOf(away)})`);
  }
  if (report.longestLine > longLine && before.report.longestLine <= longLine) {
    add('warn', 'long_line', prose`new in the code: a line of ${report.longestLine} characters`);
  }
  const hosts = report.hostsSeen.filter((host) => !before.report.hostsSeen.includes(host));
  const undeclared = hosts.filter((host) => report.hostsUndeclared.includes(host));
  if (undeclared.length > 0) {
    const text = prose`new in the code: it names ${some(undeclared)}, which this request does not declare; calls there are refused`;
    add('warn', 'code_host', text);
  }
  const addresses = hosts.filter((host) => isIpLiteral(host.replace(/:\d+$/, '')));
  if (addresses.length > 0)
    add('warn', 'address', prose`new in the code: the address ${some(addresses)} instead of a name`);
  if (!report.parsed && before.report.parsed) {
    add(
      'warn',
      'unreadable',
      prose`the code cannot be parsed any more; what is said of it comes from a search in its text`,
    );
  }
  return changes;
}

const decodes =
  /\batob\s*\(|['"`]base64(?:url)?['"`]|\bb64decode\b|\bfromCharCode\b|\bunescape\s*\(|\bfromhex\b|['"`]hex['"`]/;
/** Long enough for a command; hashes and keys in hexadecimal are shorter. */
const encodedText = /[A-Za-z0-9+/_-]{80,}={0,2}/;

const some = (names: readonly string[]) => {
  const more = names.length - mostNamed;
  return listInProse([...names.slice(0, mostNamed), ...(more > 0 ? [`${more} more`] : [])]);
};
const where = (places: readonly CodePlace[]) => {
  const names = [...new Set(places.map(({ what }) => what))].filter((what) => what !== '').slice(0, mostNamed);
  return names.length === 0 ? prose`${linesOf(places)}` : prose`${listInProse(names)}, ${linesOf(places)}`;
};
const asPlace = ({ line, specifier }: CodeReport['imports'][number]): CodePlace => ({ line, what: specifier });

/** Those of which there are more than before, by what they are: a line that only moved is nothing new. */
function added(before: readonly CodePlace[], now: readonly CodePlace[]): readonly CodePlace[] {
  const left = new Map<string, number>();
  for (const { what } of before) left.set(what, (left.get(what) ?? 0) + 1);
  return now.filter(({ what }) => {
    const count = left.get(what) ?? 0;
    left.set(what, count - 1);
    return count <= 0;
  });
}

const lines = (text: string): readonly string[] => text.split(/\r\n|\n|\r/);

function placesOf(text: string, pattern: RegExp): readonly CodePlace[] {
  return lines(text).flatMap((line, index) => {
    const found = pattern.exec(line)?.[0];
    return found === undefined ? [] : [{ line: index + 1, what: found.slice(0, 60) }];
  });
}

function hiddenPlaces(text: string): readonly CodePlace[] {
  return lines(text).flatMap((line, index) => (countHidden(line) > 0 ? [{ line: index + 1, what: line }] : []));
}

const farRight = new RegExp(`[ \\t]{${maxSpaces + 1},}\\S`);

/** Lines that begin far to the right, or stand behind more blank lines than people leave. */
function outOfSight(text: string): readonly CodePlace[] {
  let blank = 0;
  return lines(text).flatMap((line, index) => {
    const behind = blank > maxBlankLines;
    blank = line.trim() === '' ? blank + 1 : 0;
    return blank === 0 && (behind || farRight.test(line)) ? [{ line: index + 1, what: line.trim() }] : [];
  });
}

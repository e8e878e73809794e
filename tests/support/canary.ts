/**
 * Looks for a secret that must not be there: its value and every spelling in which it could have come along. Knows
 * nothing of the product's own redaction, or both could be blind in the same place.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** Obviously fake, and full of characters that each encoding spells in its own way. */
export const canaryValue = (): string =>
  `sk-canary-${randomBytes(18).toString('base64')}"\\/&%<é>${randomBytes(18).toString('hex')}`;

/** Lower case and short enough to be a label of a host name. */
export const hostSafeCanary = (): string => `canary-${randomBytes(24).toString('hex')}`;

export type Spelling = Readonly<{ name: string; bytes: Buffer }>;

const unitsOf = (value: string): number[] =>
  Array.from({ length: value.length }, (_, index) => value.charCodeAt(index));
const escapes = (value: string, write: (unit: number) => string): string => unitsOf(value).map(write).join('');
const hex = (unit: number, digits: number): string => unit.toString(16).padStart(digits, '0');

/** What base64 of any text says for sure when the bytes stand in it after `before` others: whole characters only. */
function base64Core(bytes: Buffer, before: number): string {
  const text = Buffer.concat([Buffer.alloc(before), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  const endsInside = ((before + bytes.length) * 8) % 6 === 0;
  return text.slice(Math.ceil((before * 8) / 6), endsInside ? undefined : -1);
}

/** Each way to write the value, those that look the same left out. */
export function spellingsOf(value: string): readonly Spelling[] {
  const utf8 = Buffer.from(value);
  const list = [...utf8];
  const percent = list.map((byte) => `%${hex(byte, 2)}`).join('');
  const unicode = escapes(value, (unit) => `\\u${hex(unit, 4)}`);
  const json = JSON.stringify(value).slice(1, -1);
  const half = Math.floor(value.length / 2);
  const texts: Readonly<Record<string, string>> = {
    raw: value,
    'first half': value.slice(0, half),
    'second half': value.slice(half),
    reversed: [...value].reverse().join(''),
    'lower case': value.toLowerCase(),
    JSON: json,
    'JSON in JSON': JSON.stringify(json).slice(1, -1),
    'JSON with \\/': json.replaceAll('/', '\\/'),
    'single quoted': value.replaceAll('\\', '\\\\'),
    'component encoded': encodeURIComponent(value),
    'form encoded': new URLSearchParams({ '': value }).toString().slice(1),
    percent,
    'percent, upper case': percent.toUpperCase(),
    '\\u': unicode,
    '\\u, upper case': unicode.replaceAll(/[a-f]/g, (letter) => letter.toUpperCase()),
    'HTML, named': value
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;'),
    'HTML, element text': value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
    'HTML, decimal': escapes(value, (unit) => `&#${unit};`),
    'HTML, hex': escapes(value, (unit) => `&#x${hex(unit, 2)};`),
    CSV: value.replaceAll('"', '""'),
    hex: utf8.toString('hex'),
    'hex, upper case': utf8.toString('hex').toUpperCase(),
    'hex, apart': list.map((byte) => hex(byte, 2)).join(' '),
    'hex with colons': list.map((byte) => hex(byte, 2)).join(':'),
    numbers: list.join(','),
    'numbers, spaced': list.join(', '),
  };
  const base64 = [0, 1, 2].map((before) => [`base64 + ${before}`, base64Core(utf8, before)] as const);
  const base64url = base64.map(
    ([name, text]) => [`${name}, url`, text.replaceAll('+', '-').replaceAll('/', '_')] as const,
  );
  const found = new Map<string, Spelling>();
  const add = (name: string, bytes: Buffer): void => {
    const key = bytes.toString('latin1');
    if (!found.has(key)) found.set(key, { name, bytes });
  };
  for (const [name, text] of [...Object.entries(texts), ...base64, ...base64url]) add(name, Buffer.from(text));
  add('Latin-1', Buffer.from(value, 'latin1'));
  add('UTF-16', Buffer.from(value, 'utf16le'));
  add('UTF-16, big end first', Buffer.from(value, 'utf16le').swap16());
  add('Latin-1 in base64', Buffer.from(base64Core(Buffer.from(value, 'latin1'), 0)));
  return [...found.values()];
}

/** Where something can be found: a name and what is there. */
export type Place = Readonly<{ name: string; content: string | Uint8Array }>;

/** Every spelling that is in one of the places, as `place: spelling`. */
export function sightings(values: readonly string[], places: Iterable<Place>): string[] {
  const spellings = values.flatMap(spellingsOf);
  return [...places].flatMap(({ name, content }) => {
    const bytes =
      typeof content === 'string'
        ? Buffer.from(content)
        : Buffer.from(content.buffer, content.byteOffset, content.byteLength);
    return spellings
      .filter((spelling) => bytes.includes(spelling.bytes))
      .map((spelling) => `${name}: ${spelling.name}`);
  });
}

/** Every file below the folder, with the targets of links instead of what they point at, and the names as well. */
export function filesBelow(folder: string): Place[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).flatMap((name): Place[] => {
    const path = join(folder, name);
    // Temporary files of SQLite may go at any moment.
    const stat = lstatSync(path, { throwIfNoEntry: false });
    const named = { name: `name of ${path}`, content: path };
    if (stat?.isSymbolicLink()) return [named, { name: path, content: readlinkSync(path) }];
    if (!stat?.isFile() || !existsSync(path)) return [named];
    return [named, { name: path, content: readFileSync(path) }];
  });
}

/** A process and all below it, by id. */
export function processesFrom(pid: number): number[] {
  const task = `/proc/${pid}/task`;
  if (!existsSync(task)) return [];
  const children = readdirSync(task).flatMap((thread) => {
    const list = readProc(`${task}/${thread}/children`).toString();
    return list.trim().split(' ').filter(Boolean).map(Number);
  });
  return [pid, ...children.flatMap(processesFrom)];
}

/** Environment and arguments of these processes. */
export function startFactsOf(pids: readonly number[]): Place[] {
  return pids.flatMap((pid) =>
    ['environ', 'cmdline'].map((name) => ({ name: `/proc/${pid}/${name}`, content: readProc(`/proc/${pid}/${name}`) })),
  );
}

/** A process may end while it is being read. */
function readProc(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}

const largestRegion = 256 * 1024 * 1024;

/** What a process has in its writable memory, region by region. Empty where the kernel does not let us look. */
export function* memoryOf(pid: number): Generator<Place> {
  const file = openSync(`/proc/${pid}/mem`, 'r');
  for (const line of readProc(`/proc/${pid}/maps`).toString().split('\n')) {
    const [, from = '', to = ''] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
    const start = Number.parseInt(from, 16);
    const size = Number.parseInt(to, 16) - start;
    if (!(size > 0 && size <= largestRegion)) continue;
    const bytes = Buffer.alloc(size);
    try {
      readSync(file, bytes, 0, size, start);
    } catch {
      continue;
    }
    yield { name: `memory of ${pid} at ${from}`, content: bytes };
  }
}

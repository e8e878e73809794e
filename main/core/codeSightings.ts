import type { CodePlace, CodeReport } from '../../contract/codeReport.ts';

export type ImportKind = CodeReport['imports'][number]['kind'];

// Enough to judge; code that does more of one thing than this is told apart by its count.
const maxEntries = 200;
const maxQuote = 200;

const quote = (text: string): string => (text.length > maxQuote ? `${text.slice(0, maxQuote)}…` : text);

/** What was seen while reading code, before it is compared with what was declared. Lists are capped. */
export class CodeSightings {
  /** Hosts and ports of URLs, by `host:port`; the port is the scheme's default where none is written. */
  readonly authorities = new Map<string, Readonly<{ host: string; port: number; line: number }>>();
  readonly computedHosts: CodePlace[] = [];
  readonly envNames = new Set<string>();
  /** Names and short strings in the code: a declared secret that is not among them is not used. */
  readonly words = new Set<string>();
  readonly dynamicCode: CodePlace[] = [];
  readonly subprocesses: CodePlace[] = [];
  readonly fileAccess: CodePlace[] = [];
  readonly imports: CodeReport['imports'][number][] = [];
  longTexts = 0;
  envAccessAll = false;

  addDynamicCode(line: number, what: string): void {
    add(this.dynamicCode, line, what);
  }

  addSubprocess(line: number, what: string): void {
    add(this.subprocesses, line, what);
  }

  addFileAccess(line: number, what: string): void {
    add(this.fileAccess, line, what);
  }

  addComputedHost(line: number, what: string): void {
    add(this.computedHosts, line, what);
  }

  addImport(line: number, specifier: string, kind: ImportKind): void {
    if (this.imports.length < maxEntries) this.imports.push({ line, specifier: quote(specifier), kind });
    const module = specifier.replace(/^node:/, '');
    if (processModules.has(module)) this.addSubprocess(line, `imports ${quote(specifier)}`);
    if (fileModules.has(module)) this.addFileAccess(line, `imports ${quote(specifier)}`);
    if (codeModules.has(module)) this.addDynamicCode(line, `imports ${quote(specifier)}`);
  }

  addAuthority(line: number, scheme: string, authority: string): void {
    if (this.authorities.size >= maxEntries || authority === '') return;
    const secure = /^(?:https|wss)$/i.test(scheme);
    const withoutUser = authority.slice(authority.lastIndexOf('@') + 1);
    const port = /:(\d{1,5})$/.exec(withoutUser);
    const host = port === null ? withoutUser : withoutUser.slice(0, port.index);
    const portNumber = port === null ? (secure ? 443 : 80) : Number(port[1]);
    const key = `${quote(host)}:${portNumber}`;
    if (!this.authorities.has(key)) this.authorities.set(key, { host: quote(host), port: portNumber, line });
  }

  /**
   * Notes URLs and host names in a piece of text. `continues` says that the code goes on to add something computed, so
   * that a host at the very end is not complete.
   */
  addText(line: number, text: string, continues = false): void {
    for (const match of text.matchAll(urlStart)) {
      const [found, scheme = '', authority = ''] = match;
      const atEnd = match.index + found.length === text.length;
      if (continues && atEnd) this.addComputedHost(line, `${found}…`);
      else this.addAuthority(line, scheme, authority);
    }
    if (!continues && hostOnly.test(text)) this.addAuthority(line, 'https', text);
    for (const run of text.matchAll(encodedRun)) if (run[0].length >= longRun) this.longTexts += 1;
  }
}

const urlStart = /\b(https?|wss?):[\\/]{2}([^\s\\/?#"'`<>(){}]{0,300})/gi;
// Three labels or more: two would take `index.js` and `utils.py` for hosts.
const hostOnly = /^[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,6}\.[a-z]{2,24}(?::\d{1,5})?$/i;
const encodedRun = /[A-Za-z0-9+/=_-]+/g;
const longRun = 1000;

const processModules = new Set([
  'child_process',
  'cluster',
  'worker_threads',
  'subprocess',
  'multiprocessing',
  'pty',
  'pexpect',
  'sh',
]);
const fileModules = new Set(['fs', 'fs/promises', 'shutil', 'pathlib', 'tempfile', 'glob']);
const codeModules = new Set(['vm', 'module', 'repl', 'importlib', 'runpy', 'ctypes', 'marshal', 'pickle']);

function add(places: CodePlace[], line: number, what: string): void {
  if (places.length < maxEntries) places.push({ line, what: quote(what) });
}

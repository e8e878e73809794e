import type { CodePlace, CodeReport } from '../../contract/codeReport.ts';
import type { Runtime } from '../../contract/runtime.ts';
import { readSyntax } from './codeReportSyntax.ts';
import { readText } from './codeReportText.ts';
import { CodeSightings } from './codeSightings.ts';
import { countBlankRuns, countHidden } from './display.ts';
import { canonicalHost, formatHostRule, type HostRule, HostSyntaxError, isIpLiteral, matchesAny } from './host.ts';

export type Declared = Readonly<{ secrets: readonly string[]; hosts: readonly HostRule[] }>;

type Finding = CodeReport['findings'][number];

// Names that every runtime sets; reading them says nothing.
const ordinaryEnv = new Set(['SKILL_ARGS', 'HOME', 'PATH', 'PWD', 'TZ', 'LANG', 'NODE_ENV', 'DEBUG', 'USER', 'TMPDIR']);
const longLine = 1000;

/**
 * What code of at most 256 KiB was seen to do, next to what was declared for it. A reading aid for the owner; what is
 * allowed is decided by the sandbox and the gateway alone. Never throws for what the code contains.
 */
export function analyseCode(code: string, runtime: Runtime, declared: Declared): CodeReport {
  const sightings = new CodeSightings();
  const parsed = runtime !== 'python' && readSyntax(code, sightings);
  if (!parsed) readText(code, runtime === 'python' ? 'python' : 'script', sightings);
  const hosts = judgeHosts(sightings, declared.hosts);
  const lines = code.split(/\r\n|\n|\r/);
  const used = declared.secrets.filter((name) => sightings.envNames.has(name) || sightings.words.has(name));
  const undeclared = [...sightings.envNames].filter(
    (name) => !declared.secrets.includes(name) && !ordinaryEnv.has(name),
  );
  const facts = {
    parsed,
    lines: lines.length,
    bytes: new TextEncoder().encode(code).length,
    longestLine: lines.reduce((longest, line) => Math.max(longest, line.length), 0),
    hostsSeen: hosts.seen,
    hostsUndeclared: hosts.undeclared,
    secretsUsed: used,
    secretsUndeclared: undeclared.slice(0, 200).map((name) => name.slice(0, 200)),
    secretsUnused: declared.secrets.filter((name) => !used.includes(name)),
    dynamicCode: sightings.dynamicCode,
    subprocesses: sightings.subprocesses,
    imports: sightings.imports,
    fileAccess: sightings.fileAccess,
    envAccessAll: sightings.envAccessAll,
    hiddenCharacters: countHidden(code),
    blankRuns: countBlankRuns(code),
  };
  return { ...facts, findings: findingsOf(facts, runtime, sightings) };
}

function judgeHosts(
  sightings: CodeSightings,
  rules: readonly HostRule[],
): Readonly<{ seen: readonly string[]; undeclared: readonly string[] }> {
  const seen = new Set<string>();
  const undeclared = new Set<string>();
  for (const { host, port } of sightings.authorities.values()) {
    let shown = host;
    let allowed = false;
    try {
      const canonical = canonicalHost(host);
      shown = formatHostRule({ host: canonical, port });
      allowed = matchesAny(rules, canonical, port);
    } catch (error) {
      // Not a host that anything could connect to through the gateway: shown as it stands.
      if (!(error instanceof HostSyntaxError)) throw error;
    }
    seen.add(shown);
    if (!allowed) undeclared.add(shown);
  }
  return { seen: [...seen].sort(), undeclared: [...undeclared].sort() };
}

/** `line 3`, or `lines 3, 5 and 2 more`. */
export const linesOf = (places: readonly CodePlace[]): string => {
  const lines = [...new Set(places.map((place) => place.line))];
  const shown = lines.slice(0, 5).join(', ');
  return `${lines.length === 1 ? 'line' : 'lines'} ${shown}${lines.length > 5 ? ` and ${lines.length - 5} more` : ''}`;
};

/** Sentences hold numbers and our own words only; names out of the code stay in the lists, to go through display. */
function findingsOf(
  facts: Omit<CodeReport, 'findings'>,
  runtime: Runtime,
  sightings: CodeSightings,
): readonly Finding[] {
  const findings: Finding[] = [];
  const warn = (when: boolean, text: string): void => {
    if (when) findings.push({ severity: 'warn', text });
  };
  const info = (when: boolean, text: string): void => {
    if (when) findings.push({ severity: 'info', text });
  };
  const number = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;
  warn(facts.hiddenCharacters > 0, `Holds ${number(facts.hiddenCharacters, 'character')} that cannot be seen.`);
  warn(facts.blankRuns > 0, `Holds ${number(facts.blankRuns, 'long stretch', 'long stretches')} of blank space.`);
  warn(facts.longestLine > longLine, `Its longest line has ${facts.longestLine} characters.`);
  warn(
    facts.hostsUndeclared.length > 0,
    `Names ${number(facts.hostsUndeclared.length, 'host')} that it did not declare; calls there will be refused.`,
  );
  warn(
    facts.hostsSeen.some((host) => isIpLiteral(host.replace(/:\d+$/, ''))),
    'Names an IP address instead of a host name.',
  );
  warn(
    facts.hostsSeen.some((host) => /(?:^|[.])xn--/.test(host)),
    'Names a host with foreign letters, shown here as xn--….',
  );
  info(
    sightings.computedHosts.length > 0,
    `Puts host names together when it runs (${linesOf(sightings.computedHosts)}).`,
  );
  warn(facts.dynamicCode.length > 0, `Can run text as code (${linesOf(facts.dynamicCode)}).`);
  warn(facts.subprocesses.length > 0, `Starts other programs or threads (${linesOf(facts.subprocesses)}).`);
  const computed = facts.imports.filter((entry) => entry.kind === 'computed');
  warn(
    computed.length > 0,
    `Chooses what to import when it runs (${linesOf(computed.map(({ line }) => ({ line, what: '' })))}).`,
  );
  const remote = facts.imports.filter((entry) => /^(?:https?|npm|jsr|data|blob):/i.test(entry.specifier));
  warn(remote.length > 0, `Imports code from elsewhere (${number(remote.length, 'import')}); it will be refused.`);
  warn(facts.envAccessAll, 'Reads its whole environment.');
  info(
    facts.secretsUndeclared.length > 0,
    `Reads ${number(facts.secretsUndeclared.length, 'variable')} that it did not declare and will not get.`,
  );
  info(
    facts.secretsUnused.length > 0 && !facts.envAccessAll,
    `Asks for ${number(facts.secretsUnused.length, 'secret')} that it was not seen to use.`,
  );
  info(facts.fileAccess.length > 0, `Reads or writes files (${linesOf(facts.fileAccess)}).`);
  info(
    sightings.longTexts > 0,
    `Holds ${number(sightings.longTexts, 'long stretch', 'long stretches')} of encoded text.`,
  );
  if (runtime !== 'python') warn(!facts.parsed, 'Could not be parsed; these facts come from a search in its text.');
  return findings;
}

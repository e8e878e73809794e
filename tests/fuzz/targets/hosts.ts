import {
  canonicalHost,
  formatHostRule,
  type HostRule,
  HostSyntaxError,
  matchesAny,
  parseHostRule,
} from '../../../main/core/host.ts';
import { narrowRules, readStoredRules, sortRules } from '../../../main/core/networkRules.ts';
import type { Choices } from '../choices.ts';
import { allows, isAddress, isCanonicalHost, isPlainlyLocal, isPlainName } from '../oracles.ts';
import { must, target } from '../target.ts';
import { hostText, mangled, portText } from '../words.ts';

type Input = Readonly<{
  host: string;
  rules: readonly string[];
  others: readonly string[];
  /** What is put before or behind the host of a rule, to ask for a neighbour of it. */
  before: string;
  behind: string;
  port: number;
}>;

const localNames: ReadonlySet<string> = new Set(['nas.local', '192.168.1.5', '[fd00::5]']);

function ruleText(choices: Choices): string {
  const host = choices.rarely(6) ? choices.pick([...localNames]) : hostText(choices);
  const text = `${choices.pick(['', '', '*.', '*'])}${host}${portText(choices)}`;
  return choices.rarely(3) ? mangled(choices, text) : text;
}

function make(choices: Choices): Input {
  const text = hostText(choices);
  return {
    host: choices.rarely(2) ? mangled(choices, text) : text,
    rules: choices.list(1, 3, () => ruleText(choices)),
    others: choices.list(0, 2, () => ruleText(choices)),
    before: choices.pick(['', 'a.', 'a.b.', 'evil', '*.', 'xn--a.', '.']),
    behind: choices.pick(['', '.evil.com', '.', 'x', '.com']),
    port: choices.pick([443, 80, 8443, 1]),
  };
}

/** What it returns, or null when it refuses in its own words; anything else that it throws goes on. */
function read<Value>(reader: () => Value): Value | null {
  try {
    return reader();
  } catch (error) {
    if (error instanceof HostSyntaxError) return null;
    throw error;
  }
}

function seenByUrl(text: string): string | null {
  const url = URL.parse(`https://${text}/`);
  return url === null || url.username !== '' || url.port !== '' || url.pathname !== '/'
    ? null
    : url.hostname.replace(/\.$/, '');
}

function checkHost(text: string): void {
  const host = read(() => canonicalHost(text));
  must(host !== null || !isPlainName(text), 'a plain name was refused');
  if (host === null) return;
  must(isCanonicalHost(host), 'what came out is no host in its one spelling', host);
  must(canonicalHost(host) === host, 'reading it twice gives another', host);
  // A URL parser may refuse the text (a broken `xn--` beside an international label); it may not lead elsewhere.
  must([null, host].includes(seenByUrl(text)), 'a URL with it leads elsewhere', { host, url: seenByUrl(text) });
  must(seenByUrl(host) === host, 'a URL with what came out leads elsewhere', { host, url: seenByUrl(host) });
}

function checkRule(text: string): readonly HostRule[] {
  const rule = read(() => parseHostRule(text, { localNames }));
  if (rule === null) return [];
  const again = parseHostRule(formatHostRule(rule), { localNames });
  must(again.host === rule.host && again.port === rule.port, 'a rule that was written down is read as another', rule);
  const name = rule.host.startsWith('*.') ? rule.host.slice(2) : rule.host;
  must(isCanonicalHost(name) && rule.port >= 1 && rule.port <= 65_535, 'a rule is not in its one form', rule);
  must(
    localNames.has(rule.host) || !(isAddress(name) || isPlainlyLocal(name)),
    'it names what only the owner may name',
    rule,
  );
  must(!rule.host.startsWith('*.') || name.includes('.'), 'a wildcard spans a top level', rule);
  return [rule];
}

function check({ host, rules, others, before, behind, port }: Input): void {
  checkHost(host);
  const [left, right] = [rules.flatMap(checkRule), others.flatMap(checkRule)];
  const narrow = narrowRules(left, right);
  const sorted = sortRules(left);
  const stored = readStoredRules(rules, left);
  const names = [host, ...left.map((rule) => rule.host), ...right.map((rule) => rule.host)];
  const asked = names.flatMap((name) => {
    const plain = name.startsWith('*.') ? name.slice(2) : name;
    return [plain, `${before}${plain}${behind}`].flatMap((text) => read(() => canonicalHost(text)) ?? []);
  });
  for (const name of asked) {
    const facts = { name, port, left, right };
    const byLeft = left.some((rule) => allows(rule, name, port));
    const byRight = right.some((rule) => allows(rule, name, port));
    must(matchesAny(left, name, port) === byLeft, 'what is allowed is not what the rules say', facts);
    must(matchesAny(sorted, name, port) === byLeft, 'sorting changed what is allowed', facts);
    must(!matchesAny(stored, name, port) || byLeft, 'stored rules allow more', facts);
    must(matchesAny(narrow, name, port) === (byLeft && byRight), 'two lists together are not what both allow', facts);
  }
}

export const hosts = target({ name: 'hosts', inputs: 200_000, testInputs: 6_000 }, () => ({ make, check }));

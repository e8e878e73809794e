import type { CardChange, CardFact } from '../../contract/card.ts';
import type { Segment } from '../../contract/display.ts';
import { isolationNames, isolations, runtimeNames } from '../../contract/runtime.ts';
import { codeChanges, type ReadCode } from './codeChanges.ts';
import { formatHostRule } from './host.ts';
import { lookAlike } from './lookAlike.ts';
import type { Manifest, ManifestSecret, SecretPlaces } from './manifestTypes.ts';
import { listInProse, prose } from './prose.ts';
import { minuteText } from './times.ts';
import { type TrafficLimits, unsaidTraffic } from './traffic.ts';
import { everyWellKnownHost } from './wellKnown.ts';

/** The newest approved request of the same agent and skill. */
export type LastApproved = Readonly<{
  manifest: Manifest;
  decidedAtMs: number;
  /** Its run was stopped, because the code put a secret where it may not go. */
  misused?: boolean;
  /** Its code, when that is still kept. */
  code?: ReadCode;
}>;

export type ChangeInput = Readonly<{
  manifest: Manifest;
  code: ReadCode;
  last: LastApproved | null;
  /** Hosts that the secrets of this request are bound to, wherever it calls. */
  boundHosts: readonly string[];
}>;

/** When the owner approved this skill last, and how much is new since then, in a sentence. */
export function changeFact(last: LastApproved | null, changes: number, seenBefore: boolean): CardFact {
  const fact = { key: 'changed', label: 'What is new' } as const;
  if (last === null) {
    return seenBefore
      ? { ...fact, tone: 'plain', value: prose`nothing: you approved exactly this before` }
      : { ...fact, tone: 'notice', value: prose`everything: you never approved this skill for this agent` };
  }
  const when = minuteText(last.decidedAtMs);
  const count = changes === 1 ? '1 change' : `${changes} changes`;
  if (last.misused === true) {
    const stopped = prose`that run was stopped, because its code put a secret where it may not go`;
    const what = changes === 0 ? prose`nothing` : prose`${count}`;
    return { ...fact, tone: 'danger', value: prose`since you approved it on ${when}, ${what}; ${stopped}` };
  }
  if (changes === 0) return { ...fact, tone: 'plain', value: prose`nothing since you approved it on ${when}` };
  return { ...fact, tone: 'notice', value: prose`${count} since you approved it on ${when}` };
}

const weight: Readonly<Record<CardChange['severity'], number>> = { danger: 0, warn: 1, info: 2 };

/** Each difference from the last approved version in a sentence of its own, what weighs most first. */
export function changesOf({ manifest, code, last, boundHosts }: ChangeInput): readonly CardChange[] {
  const before = last?.manifest ?? null;
  const changes =
    before === null
      ? hostChanges(null, manifest, boundHosts)
      : [
          ...secretChanges(before, manifest),
          ...hostChanges(before, manifest, boundHosts),
          ...isolationChanges(before, manifest),
          ...limitChanges(before, manifest),
          ...argumentChanges(before, manifest),
          ...sourceChanges(before, manifest),
          ...bytesChange(before, manifest),
          ...(last?.code === undefined || before.code.sha256 === manifest.code.sha256
            ? []
            : codeChanges(last.code, code)),
        ];
  return changes.toSorted((left, right) => weight[left.severity] - weight[right.severity]);
}

const change = (severity: CardChange['severity'], kind: string, text: readonly Segment[]): CardChange => ({
  kind,
  severity,
  text,
});

function secretChanges(before: Manifest, now: Manifest): readonly CardChange[] {
  const earlier = new Map(before.secrets.map((secret) => [secret.name, secret]));
  const names = new Set(now.secrets.map(({ name }) => name));
  const gone = before.secrets.filter(({ name }) => !names.has(name)).map(({ name }) => name);
  const fresh = now.secrets.filter(({ name }) => !earlier.has(name)).map(({ name }) => name);
  const swapped = gone.length > 0 && fresh.length > 0;
  return [
    ...(swapped
      ? [change('danger', 'secret', prose`it uses ${listInProse(fresh)} instead of ${listInProse(gone)}`)]
      : []),
    ...(swapped ? [] : fresh.map((name) => change('warn', 'secret', prose`new secret ${name}`))),
    ...(swapped ? [] : gone.map((name) => change('info', 'secret', prose`no longer secret ${name}`))),
    ...now.secrets.flatMap((secret) => {
      const was = earlier.get(secret.name);
      return was === undefined ? [] : oneSecret(was, secret);
    }),
  ];
}

function oneSecret(was: ManifestSecret, now: ManifestSecret): readonly CardChange[] {
  const changes: CardChange[] = [];
  if (was.secretId !== now.secretId) {
    changes.push(
      change('danger', 'secret', prose`${now.name} is another secret of that name than the one you approved`),
    );
  }
  if (was.delivery !== now.delivery) {
    const isRaw = now.delivery === 'raw';
    const text = isRaw
      ? prose`the code now gets the real value of ${now.name}`
      : prose`${now.name} stays out of the code now`;
    changes.push(change(isRaw ? 'danger' : 'info', 'delivery', text));
  }
  const hosts = added(was.hosts.map(formatHostRule), now.hosts.map(formatHostRule));
  if (hosts.length > 0)
    changes.push(change('danger', 'binding', prose`${now.name} may now go to ${listInProse(hosts)}`));
  const places = added(placesOf(was.places), placesOf(now.places));
  if (places.length > 0)
    changes.push(change('warn', 'binding', prose`${now.name} may now stand in ${listInProse(places)}`));
  if (changes.length === 0 && was.bindingRevision !== now.bindingRevision) {
    changes.push(change('info', 'binding', prose`${now.name} is bound differently`));
  }
  return changes;
}

const placesOf = ({ headers, query, path, json, form }: SecretPlaces): readonly string[] => [
  ...headers.map((name) => `the header ${name}`),
  ...query.map((name) => `the query parameter ${name}`),
  ...(path ? ['the path of the URL'] : []),
  ...json.map((name) => `the JSON field ${name}`),
  ...form.map((name) => `the form field ${name}`),
];

const added = (before: readonly string[], now: readonly string[]): readonly string[] =>
  now.filter((one) => !before.includes(one));

/** More than this is told as a number; the facts below name every one. */
const mostHosts = 6;

/** Without anything before, only those are told that look like another: the facts name the others. */
function hostChanges(before: Manifest | null, now: Manifest, boundHosts: readonly string[]): readonly CardChange[] {
  const was = (before?.network ?? []).map(formatHostRule);
  const fresh = now.network.filter((rule) => !was.includes(formatHostRule(rule)));
  const trusted = [...(before?.network ?? []).map(({ host }) => host), ...boundHosts];
  const alike = fresh.flatMap(({ host }) => {
    const other = lookAlike(host, { trusted, famous: everyWellKnownHost });
    return other === null ? [] : [{ host, other }];
  });
  const looks = alike.map(({ host, other }) =>
    change(
      'danger',
      'lookalike',
      prose`${before === null ? 'the' : 'new'} host ${host} looks like ${other} and is not`,
    ),
  );
  if (before === null) return looks;
  const others = fresh.filter(({ host }) => !alike.some((one) => one.host === host)).map(formatHostRule);
  const news =
    others.length > mostHosts
      ? [
          change(
            'warn',
            'host',
            prose`${others.length} new hosts, among them ${listInProse(others.slice(0, mostHosts))}`,
          ),
        ]
      : others.map((host) => change('warn', 'host', prose`new host ${host}`));
  const gone = added(now.network.map(formatHostRule), was);
  return [
    ...looks,
    ...news,
    ...(gone.length === 0 ? [] : [change('info', 'host', prose`no longer ${listInProse(gone.slice(0, mostHosts))}`)]),
  ];
}

function isolationChanges(before: Manifest, now: Manifest): readonly CardChange[] {
  const changes: CardChange[] = [];
  if (before.runtime !== now.runtime) {
    const text = prose`it runs in ${runtimeNames[now.runtime]} instead of ${runtimeNames[before.runtime]}`;
    changes.push(change('warn', 'runtime', text));
  }
  const strength = (one: Manifest): number => isolations.indexOf(one.isolation.actual);
  if (strength(before) !== strength(now)) {
    const names = [isolationNames[now.isolation.actual], isolationNames[before.isolation.actual]] as const;
    const isWeaker = strength(now) < strength(before);
    const wall = isWeaker ? prose`, which is a weaker wall` : prose``;
    changes.push(
      change(isWeaker ? 'danger' : 'info', 'isolation', prose`it runs in ${names[0]} instead of ${names[1]}${wall}`),
    );
  } else if (before.isolation.minimum !== now.isolation.minimum) {
    const isWeaker = isolations.indexOf(now.isolation.minimum) < isolations.indexOf(before.isolation.minimum);
    const text = prose`it asks for at least ${isolationNames[now.isolation.minimum]}, before ${isolationNames[before.isolation.minimum]}`;
    changes.push(change(isWeaker ? 'warn' : 'info', 'isolation', text));
  }
  return changes;
}

type Limit = Readonly<{ name: string; of: (manifest: Manifest) => number; text: (value: number) => string }>;

const traffic = (manifest: Manifest): TrafficLimits => manifest.traffic ?? unsaidTraffic;
const mb = (bytes: number): string => `${Math.round(bytes / (1024 * 1024))} MB`;
const limits: readonly Limit[] = [
  { name: 'time', of: ({ limits: { timeoutMs } }) => timeoutMs, text: (ms) => `${ms / 1000} s` },
  { name: 'memory', of: ({ limits: { memoryMb } }) => memoryMb, text: (value) => `${value} MB` },
  { name: 'CPU', of: ({ limits: { cpus } }) => cpus, text: String },
  { name: 'requests', of: (manifest) => traffic(manifest).requests, text: String },
  { name: 'requests at a time', of: (manifest) => traffic(manifest).open, text: String },
  { name: 'bytes received', of: (manifest) => traffic(manifest).bytesIn, text: mb },
  { name: 'bytes sent', of: (manifest) => traffic(manifest).bytesOut, text: mb },
];

function limitChanges(before: Manifest, now: Manifest): readonly CardChange[] {
  return limits.flatMap(({ name, of, text }) => {
    const [was, is] = [of(before), of(now)];
    if (was === is) return [];
    const how = is > was ? 'wider' : 'narrower';
    return [
      change(is > was ? 'warn' : 'info', 'limits', prose`${how} limit of ${name}: ${text(is)} instead of ${text(was)}`),
    ];
  });
}

const mostArguments = 4;
const longestArgument = 60;

function argumentChanges(before: Manifest, now: Manifest): readonly CardChange[] {
  if (before.args.sha256 === now.args.sha256) return [];
  const [was, is] = [fieldsOf(before.args.json), fieldsOf(now.args.json)];
  const keys = [...new Set([...is.keys(), ...was.keys()])].filter((key) => was.get(key) !== is.get(key));
  const told = keys.slice(0, mostArguments).map((key) => argumentChange(key, was.get(key), is.get(key)));
  const more = keys.length - told.length;
  return [...told, ...(more > 0 ? [change('warn', 'args', prose`${more} other arguments changed as well`)] : [])];
}

function argumentChange(key: string, was: string | undefined, is: string | undefined): CardChange {
  if (is === undefined) return change('info', 'args', prose`no longer the argument ${key}`);
  const value = prose`the argument ${key} is ${short(is)}`;
  return change('warn', 'args', was === undefined ? prose`new: ${value}` : prose`${value} instead of ${short(was)}`);
}

const short = (json: string): string =>
  json.length <= longestArgument ? json : `${json.slice(0, longestArgument)}… (${json.length} characters)`;

/** Canonical JSON of each field. */
function fieldsOf(json: string): ReadonlyMap<string, string> {
  const parsed: unknown = JSON.parse(json);
  const entries = typeof parsed === 'object' && parsed !== null ? Object.entries(parsed) : [];
  return new Map(entries.map(([key, value]) => [key, JSON.stringify(value)]));
}

function sourceChanges(before: Manifest, now: Manifest): readonly CardChange[] {
  const [was, is] = [before.shown.fetchedFrom, now.shown.fetchedFrom];
  if (was === is) return [];
  const text =
    is === undefined ? prose`its code comes from the agent instead of ${was ?? ''}` : prose`its code comes from ${is}`;
  return [change('warn', 'source', text)];
}

function bytesChange(before: Manifest, now: Manifest): readonly CardChange[] {
  if (before.code.sha256 === now.code.sha256) return [];
  return [change('warn', 'code', prose`the code changed (${before.code.length} to ${now.code.length} bytes)`)];
}

import { describe, expect, it } from 'vitest';
import type { Card } from '../../contract/card.ts';
import type { Segment } from '../../contract/display.ts';
import {
  exampleBody,
  type ManifestSetting,
  manifestOf,
  secretOf,
  secretRecord,
} from '../../tests/support/manifests.ts';
import { blockersOf } from './blockers.ts';
import type { LastApproved } from './cardChanges.ts';
import { makeCardCode, makeRunCard } from './cardFacts.ts';
import type { ReadCode } from './codeChanges.ts';
import { analyseCode } from './codeReport.ts';
import type { Manifest } from './manifestTypes.ts';

const text = (segments: readonly Segment[] = []): string =>
  segments.map((part) => (part.kind === 'text' ? part.text : `<${part.text}>`)).join('');

type Setting = ManifestSetting &
  Readonly<{
    agentName?: string;
    lastApproved?: LastApproved;
    seenBefore?: boolean;
    code?: string;
    runsText?: boolean;
    isolationNotes?: readonly string[];
  }>;

function cardOf(body: object, setting: Setting = {}): Card {
  const known = setting.secretOf ?? secretOf(secretRecord('OPENAI_API_KEY'));
  const manifest = manifestOf({ ...exampleBody, ...body }, { ...setting, secretOf: known });
  return makeRunCard({
    request: { id: 'req_1', createdAt: 0, expiresAt: 1, manifestDigest: 'd' },
    manifest,
    agent: { id: 'agt_home', name: setting.agentName ?? 'home-agent' },
    code: makeCardCode(manifest, setting.code ?? 'x'),
    read: readCode(manifest, setting.code ?? 'x'),
    findings: [],
    runsText: setting.runsText ?? false,
    blockers: blockersOf(manifest, known),
    secretOf: known,
    lastApproved: setting.lastApproved ?? null,
    seenBefore: setting.seenBefore ?? false,
    localNames: setting.localNames ?? new Set(),
    isolationNotes: setting.isolationNotes ?? [],
  });
}

const readCode = (manifest: Manifest, code: string): ReadCode => ({
  text: code,
  report: analyseCode(code, manifest.runtime, {
    secrets: manifest.secrets.map(({ name }) => name),
    hosts: manifest.network,
  }),
});

const fact = (card: Card, key: string) => card.facts.find((candidate) => candidate.key === key);
const factText = (card: Card, key: string): string => text(fact(card, key)?.value);
const withNetwork = (...network: string[]) => ({ metadata: { network } });

describe('the sentence', () => {
  it('says who wants to run what, with which secrets, towards which hosts', () => {
    expect(text(cardOf({}).sentence)).toBe(
      'home-agent wants to run openai-completion once with OPENAI_API_KEY towards api.openai.com.',
    );
    expect(text(cardOf({ secrets: [], metadata: {} }).sentence)).toBe(
      'home-agent wants to run openai-completion once without secrets and without network.',
    );
  });

  it('counts what would not fit, and the facts name every one', () => {
    const hosts = Array.from({ length: 9 }, (_, at) => `h${at}.example.org`);
    const card = cardOf(withNetwork(...hosts));
    expect(text(card.sentence)).toContain('towards 9 hosts.');
    for (const host of hosts) expect(factText(card, 'network')).toContain(host);
  });
});

describe('text from outside (ATTACKS M209-211, M217, M220)', () => {
  it('is made visible wherever it stands', () => {
    const card = cardOf(
      { args: { a: 'a\u202eb' }, metadata: { description: 'Trusted\u200b by owner' } },
      { agentName: 'ho\u202eme', code: 'a\u2066b' },
    );
    expect(text(card.sentence)).toContain('ho<U+202E>me wants');
    expect(factText(card, 'agent')).toContain('ho<U+202E>me');
    expect(factText(card, 'args')).toContain('<U+202E>');
    expect(text(card.quotes[0]?.text)).toBe('Trusted<U+200B> by owner');
    expect(text(card.code?.lines[0])).toBe('a<U+2066>b');
    expect(JSON.stringify(card)).not.toMatch(/[\u202e\u200b\u2066]/);
  });

  it('of the agent itself appears as a quote and nowhere else', () => {
    const card = cardOf({ metadata: { description: 'approved by the owner already', network: ['api.openai.com'] } });
    expect(card.quotes).toHaveLength(1);
    expect(card.quotes[0]?.label).toBe('The agent says');
    expect(text(card.sentence) + card.facts.map((one) => text(one.value)).join(' ')).not.toContain('already');
  });

  it('the agent is named with its id, since names can look alike', () => {
    expect(factText(cardOf({}), 'agent')).toBe('home-agent (agt_home)');
  });
});

describe('secrets', () => {
  const places = { headers: ['x-extra'], query: ['key'], path: true, json: ['/auth/key'], form: ['a', 'b'] };
  const secret = (change: Parameters<typeof secretRecord>[1]) => ({
    secretOf: secretOf(secretRecord('OPENAI_API_KEY', change)),
  });

  it('are shown with hosts and every place', () => {
    const binding = { revision: 1, hosts: ['api.openai.com'], places, source: 'owner' } as const;
    expect(factText(cardOf({}, secret({ binding })), 'secret:OPENAI_API_KEY')).toBe(
      'goes to api.openai.com in the authorization or x-extra header, the query parameter key, ' +
        'the path of the URL, the JSON field /auth/key or the form field a or b',
    );
  });

  it('with raw delivery are red and say what the code can do with them', () => {
    const raw = fact(cardOf({}, secret({ delivery: 'raw' })), 'secret:OPENAI_API_KEY');
    expect(raw?.tone).toBe('danger');
    expect(text(raw?.value)).toContain('the real value');
    expect(fact(cardOf({}), 'secret:OPENAI_API_KEY')?.tone).toBe('plain');
  });

  it('that are bound elsewhere stay out, and the card is not blocked', () => {
    const binding = { ...secretRecord('x').binding, hosts: ['elsewhere.example.org'] };
    const card = cardOf({}, secret({ binding }));
    expect(factText(card, 'secret:OPENAI_API_KEY')).toBe(
      'stays out: it is bound to elsewhere.example.org, which this request does not call',
    );
    expect([card.unboundSecrets, card.verdicts]).toEqual([[], ['once', '24h', 'forever', 'deny']]);
  });

  it('that are bound nowhere block until confirmed, and echo hosts are never offered', () => {
    const binding = { ...secretRecord('x').binding, hosts: [] };
    const card = cardOf(withNetwork('api.openai.com', 'httpbin.org'), secret({ binding }));
    expect(card.unboundSecrets).toEqual([{ name: 'OPENAI_API_KEY', hosts: ['api.openai.com'] }]);
    expect(card.verdicts).toEqual(['deny']);
    expect(cardOf({ metadata: {} }, secret({ binding })).verdicts).toContain('once');
  });

  it('that are missing block', () => {
    const card = cardOf({}, { secretOf: () => null });
    expect([card.missingSecrets, card.verdicts]).toEqual([['OPENAI_API_KEY'], ['deny']]);
  });
});

describe('the network', () => {
  it('says in a sentence of its own where a two-way connection may stay open, or that it may not', () => {
    const unbound = { secretOf: secretOf(secretRecord('OPENAI_API_KEY')) };
    const card = cardOf(withNetwork('api.openai.com', 'wss://live.example.org'), unbound);
    expect(factText(card, 'network_websocket')).toBe(
      'wss://live.example.org: the code may keep a two-way connection (WebSocket) open there, and what passes through it is not checked',
    );
    const bound = cardOf(withNetwork('wss://api.openai.com'), unbound);
    expect(fact(bound, 'network_websocket')).toBeUndefined();
    expect(factText(bound, 'network_websocket_refused')).toContain('it does not get: a secret goes there');
    expect(fact(cardOf(withNetwork('api.openai.com')), 'network_websocket')).toBeUndefined();
  });

  it('names wildcards first, then hosts that get a secret, then the rest by domain (ATTACKS M219)', () => {
    const card = cardOf(withNetwork('z.a.org', 'api.openai.com', 'a.b.org', '*.wild.net', 'b.a.org'));
    expect(factText(card, 'network')).toMatch(/^\*\.wild\.net, api\.openai\.com, b\.a\.org, z\.a\.org and a\.b\.org;/);
  });

  it.each([
    ['network_wildcard', '*.wild.net', 'notice'],
    ['network_echo', 'httpbin.org', 'danger'],
    ['network_foreign', 'xn--llowed-2nf.com', 'notice'],
    ['network_port', 'a.example.org:22', 'notice'],
    ['network_local', 'nas', 'notice'],
  ])('warns with %s about %s', (key, host, tone) => {
    const card = cardOf(withNetwork('api.openai.com', host), { localNames: new Set(['nas']) });
    expect(fact(card, key)?.tone).toBe(tone);
    expect(factText(card, key)).toContain(host);
    expect(fact(cardOf({}), key)).toBeUndefined();
  });
});

describe('the limits', () => {
  it('are those that hold: the embedded sandbox bounds time and memory, not the processor', () => {
    const metadata = { runtime: 'quickjs', timeout: 5, memory_mb: 128, cpus: 0.5 };
    const limits = (isolation: 'embedded' | 'container'): string =>
      factText(
        cardOf({ metadata }, { sandbox: { isolation, carrier: { image: '', runner: '', seccomp: '' } } }),
        'limits',
      );
    expect(limits('embedded')).toBe('5 s, 128 MB of memory, up to one CPU');
    expect(limits('container')).toBe('5 s, 128 MB of memory, 0.5 CPU');
  });

  it('name how much of the network the run may use, where it has any', () => {
    expect(factText(cardOf(withNetwork('api.openai.com')), 'limits')).toContain(
      '; 1000 requests, 16 at a time, 256 MB received, 64 MB sent',
    );
  });
});

describe('what is new', () => {
  const last = (body: object): LastApproved => ({
    manifest: manifestOf({ ...exampleBody, ...body }),
    decidedAtMs: Date.UTC(2030, 0, 2, 3, 4),
  });

  it('is everything at first, and nothing when it is the same', () => {
    expect(factText(cardOf({}), 'changed')).toContain('everything');
    expect(factText(cardOf({}, { lastApproved: last({}) }), 'changed')).toBe(
      'nothing since you approved it on 2030-01-02 03:04 UTC',
    );
  });

  it('warns when the last run was stopped for what it did with a secret', () => {
    const fact = cardOf({}, { lastApproved: { ...last({}), misused: true } }).facts.find(
      ({ key }) => key === 'changed',
    );
    expect(fact?.tone).toBe('danger');
    expect(text(fact?.value)).toBe(
      'since you approved it on 2030-01-02 03:04 UTC, nothing; that run was stopped, because its code put a secret where it may not go',
    );
  });

  it('names each difference', () => {
    const before = last({
      code: 'other',
      secrets: [],
      args: {},
      metadata: { network: ['old.example.org'], timeout: 5 },
    });
    const card = cardOf({}, { lastApproved: before });
    expect(factText(card, 'changed')).toBe('6 changes since you approved it on 2030-01-02 03:04 UTC');
    expect(card.changes.map(({ severity, text: said }) => `${severity}: ${text(said)}`)).toEqual([
      'warn: new secret OPENAI_API_KEY',
      'warn: new host api.openai.com',
      'warn: wider limit of time: 30 s instead of 5 s',
      expect.stringContaining('warn: new: the argument '),
      expect.stringContaining('warn: the code changed (5 to '),
      'info: no longer old.example.org',
    ]);
  });
});

it('tells code that was fetched from code that came with the name of a source', () => {
  const url = 'https://gist.example.com/abc123';
  const source = (setting: Setting) => {
    const card = cardOf({ skill_url: url }, setting);
    return `${fact(card, 'source')?.label}: ${factText(card, 'source')}`;
  };
  expect(source({})).toBe(`Source named by the agent: ${url}`);
  expect(source({ fetchedFrom: 'gist.example.com' })).toBe(`Code fetched from: ${url}`);
  expect(source({ fetchedFrom: 'raw.example.org' })).toBe(`Code fetched from: raw.example.org, where ${url} led`);
});

it('says that the embedded sandbox is the weaker wall', () => {
  expect(factText(cardOf({}), 'isolation')).toContain('weaker');
  const carrier = { image: 'i', runner: 'r', seccomp: 's' };
  const container = cardOf({}, { sandbox: { isolation: 'container', carrier } });
  expect(factText(container, 'isolation')).not.toContain('weaker');
  const gvisor = { isolation: 'gvisor', carrier } as const;
  const noted = cardOf({}, { sandbox: gvisor, isolationNotes: ['It enforces no limits here.'] });
  expect(factText(noted, 'isolation')).toContain('It enforces no limits here');
  expect(fact(noted, 'isolation')?.tone).toBe('notice');
});

describe('trust for any arguments', () => {
  it('is offered for arguments of code that was read in full', () => {
    expect(cardOf({ args: { n: 1 } })).toMatchObject({ hasArgs: true, anyArgs: true });
    expect(cardOf({ args: {} })).toMatchObject({ hasArgs: false, anyArgs: false });
  });

  it('L195 is not offered for code that may run its arguments as code', () => {
    expect(cardOf({ args: { n: 1 } }, { runsText: true })).toMatchObject({ hasArgs: true, anyArgs: false });
  });
});

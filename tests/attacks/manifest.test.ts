import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readJson } from '../../main/bridge/jsonBody.ts';
import { manifestDigest, trustKey } from '../../main/core/digest.ts';
import type { Manifest } from '../../main/core/manifestTypes.ts';
import { exampleBody, manifestOf, secretOf, secretRecord } from '../support/manifests.ts';

// ATTACKS L190-195: what an approval is bound to. L190 (bytes changed between approval and run) is tested where runs are
// admitted (main/runs) and where a decision is taken (tests/integration/agentSide.test.ts); here is what the hashes cover.

const base = manifestOf(exampleBody);

type Path = readonly (string | number)[];

/** Every place in a JSON value where a plain value stands. */
function leaves(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
}

function changedAt(value: unknown, [key, ...rest]: Path): unknown {
  if (key === undefined) return otherThan(value);
  if (Array.isArray(value)) return value.map((inner, at) => (at === Number(key) ? changedAt(inner, rest) : inner));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, name === key ? changedAt(inner, rest) : inner]),
  );
}

function otherThan(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  return `${String(value)}x`;
}

function altered(manifest: Manifest, path: Path): Manifest {
  const copy: unknown = changedAt(manifest, path);
  return isManifest(copy) ? copy : manifest;
}

// A changed copy has the same shape; only values of the same kind were put in.
const isManifest = (value: unknown): value is Manifest => typeof value === 'object' && value !== null;

const full = manifestOf(
  {
    ...exampleBody,
    secrets: ['OPENAI_API_KEY', 'OTHER_KEY'],
    metadata: { ...exampleBody.metadata, network: ['api.openai.com', 'example.org:8443'] },
  },
  {
    secretOf: secretOf(
      secretRecord('OPENAI_API_KEY', {
        binding: {
          revision: 3,
          hosts: ['api.openai.com'],
          places: { headers: ['x-key'], query: ['key'], path: true, json: ['a'], form: ['b'] },
          source: 'owner',
        },
      }),
      secretRecord('OTHER_KEY', { delivery: 'raw' }),
    ),
  },
);

// What the owner decides about. Everything else in a manifest belongs to one run.
const decided =
  /^(agentId|skillId|code\.|runtime$|isolation\.minimum|args\.sha256|secrets\.\d+\.(?!version$)|network\.|limits\.|traffic\.)/;

describe('L191 what the hashes cover', () => {
  it.each(leaves(full).map((path) => [path.join('.'), path] as const))('flipping %s', (name, path) => {
    const other = altered(full, path);
    expect(manifestDigest(other)).not.toBe(manifestDigest(full));
    expect(trustKey(other, 'exact') === trustKey(full, 'exact')).toBe(!decided.test(name));
  });

  it('a manifest of a time when traffic was not stated keeps its trust key', () => {
    const { traffic: _unsaid, ...earlier } = base;
    expect(trustKey(earlier, 'exact')).toBe(trustKey(base, 'exact'));
  });

  it('a WebSocket that was asked for is another key and another digest', () => {
    const asked = manifestOf({
      ...exampleBody,
      metadata: { ...exampleBody.metadata, network: ['wss://b.example.org'] },
    });
    const plain = manifestOf({ ...exampleBody, metadata: { ...exampleBody.metadata, network: ['b.example.org'] } });
    expect(trustKey(asked, 'exact')).not.toBe(trustKey(plain, 'exact'));
    expect(manifestDigest(asked)).not.toBe(manifestDigest(plain));
    expect(plain.network).toEqual([{ host: 'b.example.org', port: 443 }]);
  });

  it('any arguments and exact ones are two keys, and only exact ones depend on them', () => {
    const other = manifestOf({ ...exampleBody, args: { prompt: 'Bye!' } });
    expect(trustKey(base, 'any')).not.toBe(trustKey(base, 'exact'));
    expect(trustKey(other, 'any')).toBe(trustKey(base, 'any'));
    expect(trustKey(other, 'exact')).not.toBe(trustKey(base, 'exact'));
  });

  it('a rotated value keeps the trust key, a new binding or another secret of the same name does not', () => {
    const key = (change: Parameters<typeof secretRecord>[1]): string =>
      trustKey(manifestOf(exampleBody, { secretOf: secretOf(secretRecord('OPENAI_API_KEY', change)) }), 'exact');
    expect(key({ version: 2 })).toBe(key({}));
    expect(key({ id: 'sec_other' })).not.toBe(key({}));
    expect(key({ binding: { ...secretRecord('x').binding, revision: 2 } })).not.toBe(key({}));
  });
});

describe('L192 two texts that mean the same have one digest, and no two meanings share one', () => {
  const same = (left: unknown, right: unknown): boolean =>
    manifestDigest(manifestOf(left)) === manifestDigest(manifestOf(right));

  it('lists are sorted and repetition is dropped', () => {
    const lists = (secrets: string[], network: string[]) => ({
      ...exampleBody,
      secrets,
      metadata: { ...exampleBody.metadata, network },
    });
    const left = lists(['OPENAI_API_KEY', 'B_KEY'], ['api.openai.com', 'b.example.org']);
    expect(same(left, lists(['B_KEY', 'OPENAI_API_KEY', 'B_KEY'], ['B.Example.org:443', 'API.openai.com.']))).toBe(
      true,
    );
  });

  it('what is missing is the default', () => {
    const short = { skill_id: 'x', code: '1' };
    const long = {
      skill_id: 'x',
      code: '1',
      secrets: [],
      args: {},
      metadata: {
        description: '',
        secrets: [],
        network: [],
        timeout: 30,
        runtime: 'quickjs',
        memory_mb: 256,
        cpus: 0.5,
        isolation: 'embedded',
      },
    };
    expect(same(short, long)).toBe(true);
  });

  it('the order of keys and the spelling of numbers mean nothing', () => {
    const read = (text: string): unknown => readJson(new TextEncoder().encode(text));
    const left = read('{"skill_id":"x","code":"1","args":{"a":1,"b":{"c":1e2,"d":"\\u0041"}}}');
    const right = read('{"args":{"b":{"d":"A","c":100.0},"a":1},"code":"1","skill_id":"x"}');
    expect(same(left, right)).toBe(true);
  });

  it.each([
    ['1 and "1"', { a: 1 }, { a: '1' }],
    ['null and missing', { a: null }, {}],
    ['lists in another order', { a: [1, 2] }, { a: [2, 1] }],
    ['composed and decomposed letters', { a: 'é' }, { a: 'e\u0301' }],
    ['a key that holds another key', { a: { b: 1 } }, { 'a.b': 1 }],
    ['quotes in values', { a: 'x","b":"y' }, { a: 'x', b: 'y' }],
  ])('%s differ in arguments', (_name, left, right) => {
    expect(same({ ...exampleBody, args: left }, { ...exampleBody, args: right })).toBe(false);
  });

  it.each([
    ['a line ending', 'a\r\nb', 'a\nb'],
    ['a byte order mark', '\ufeffa', 'a'],
    ['a space at the end', 'a ', 'a'],
    ['composed and decomposed letters', '"é"', '"e\u0301"'],
  ])('%s changes the code', (_name, left, right) => {
    expect(same({ ...exampleBody, code: left }, { ...exampleBody, code: right })).toBe(false);
  });

  it('moving text over a field boundary changes the digest', () => {
    const text = fc.stringMatching(/^[a-z]{1,6}$/);
    fc.assert(
      fc.property(text, text, text, (a, b, c) => {
        const digest = (skill: string, code: string, description: string): string =>
          manifestDigest(manifestOf({ skill_id: skill, code, metadata: { description } }));
        expect(digest(a + b, c, '')).not.toBe(digest(a, b + c, ''));
        expect(digest(a, b + c, '')).not.toBe(digest(a, b, c));
      }),
    );
  });

  it('two bodies have one digest exactly if they come to one manifest', () => {
    const name = fc.constantFrom('A_KEY', 'B_KEY', 'C_KEY');
    const host = fc.constantFrom(
      'a.example.org',
      'A.example.org',
      'a.example.org:443',
      'b.example.org',
      '*.example.org',
    );
    const bodies = fc.record(
      {
        skill_id: fc.constantFrom('x', 'y'),
        code: fc.constantFrom('1', '2'),
        secrets: fc.array(name, { maxLength: 3 }),
        args: fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom(1, '1', null), { maxKeys: 2 }),
        metadata: fc.record(
          { network: fc.array(host, { maxLength: 3 }), timeout: fc.constantFrom(30, 31) },
          { requiredKeys: [] },
        ),
      },
      { requiredKeys: ['skill_id', 'code'] },
    );
    fc.assert(
      fc.property(bodies, bodies, (left, right) => {
        const [a, b] = [manifestOf(left), manifestOf(right)];
        const equal = JSON.stringify(a) === JSON.stringify(b);
        expect(manifestDigest(a) === manifestDigest(b)).toBe(equal);
        expect(trustKey(a, 'exact') === trustKey(b, 'exact')).toBe(equal);
      }),
      { numRuns: 500 },
    );
  });
});

describe('L193-195 what the agent says, short hashes, and how far trust goes', () => {
  it('L193 description and source stand in the digest as shown, and buy no trust', () => {
    const other = manifestOf({ ...exampleBody, metadata: { ...exampleBody.metadata, description: 'Harmless' } });
    expect(manifestDigest(other)).not.toBe(manifestDigest(base));
    expect(trustKey(other, 'exact')).toBe(trustKey(base, 'exact'));
  });

  it('L194 hashes are whole: 64 hex digits, and the two kinds never meet', () => {
    for (const hash of [manifestDigest(base), trustKey(base, 'exact'), base.code.sha256, base.args.sha256]) {
      expect(hash).toMatch(/^[0-9a-f]{64}$/);
    }
    expect(manifestDigest(base)).not.toBe(trustKey(base, 'exact'));
  });

  it('L195 trust is for one agent, one skill and these bytes of code', () => {
    const keys = [
      base,
      manifestOf(exampleBody, { agentId: 'agt_other' }),
      manifestOf({ ...exampleBody, skill_id: 'openai' }),
      manifestOf({ ...exampleBody, code: `${exampleBody.code}\n` }),
    ].map((manifest) => trustKey(manifest, 'any'));
    expect(new Set(keys).size).toBe(4);
  });
});

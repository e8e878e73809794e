import { describe, expect, it } from 'vitest';
import { executeBodySchema } from '../../contract/bridge.ts';
import { CodedError } from '../../contract/errors.ts';
import type { Isolation } from '../../contract/runtime.ts';
import { readCommentTags } from './commentTags.ts';
import { formatHostRule } from './host.ts';
import { planRequest } from './requestPlan.ts';

const plan = (body: object, code = '', localNames: readonly string[] = []) =>
  planRequest(executeBodySchema.parse({ skill_id: 'x', ...body }), readCommentTags(code), {
    runtime: 'quickjs',
    minimumIsolation: 'embedded',
    localNames: new Set(localNames),
  });

const refusal = (body: object, code = ''): string => {
  try {
    plan(body, code);
    return 'accepted';
  } catch (error) {
    return error instanceof CodedError ? `${error.code}: ${error.message}` : String(error);
  }
};

const tags = [
  '// @description From the code',
  '// @secrets TAG_KEY, OTHER_KEY',
  '// @network tag.example.org, b.example.org:8443',
  '// @timeout 45',
  '// @runtime deno',
].join('\n');

describe('filling a request', () => {
  it('takes defaults where nothing is said', () => {
    expect(plan({})).toEqual({
      skillId: 'x',
      skillUrl: '',
      description: '',
      secretNames: [],
      network: [],
      runtime: 'quickjs',
      minimumIsolation: 'embedded',
      limits: { timeoutMs: 30_000, memoryMb: 256, cpus: 0.5 },
      argsJson: '{}',
    });
  });

  it('never goes below the weakest isolation that the owner allows', () => {
    const under = (minimumIsolation: Isolation, metadata: object) =>
      planRequest(executeBodySchema.parse({ skill_id: 'x', metadata }), readCommentTags(''), {
        runtime: 'quickjs',
        minimumIsolation,
        localNames: new Set(),
      }).minimumIsolation;
    expect(under('container', {})).toBe('container');
    expect(under('container', { isolation: 'embedded' })).toBe('container');
    expect(under('container', { isolation: 'gvisor' })).toBe('gvisor');
    expect(under('embedded', { runtime: 'deno' })).toBe('container');
  });

  it('takes comment tags for what the body leaves out', () => {
    const filled = plan({}, tags);
    expect(filled).toMatchObject({
      description: 'From the code',
      secretNames: ['OTHER_KEY', 'TAG_KEY'],
      runtime: 'deno',
      minimumIsolation: 'container',
      limits: { timeoutMs: 45_000 },
    });
    expect(filled.network.map(formatHostRule)).toEqual(['b.example.org:8443', 'tag.example.org']);
  });

  it('never lets a tag add to or replace what the body says, an empty list included', () => {
    const metadata = { description: 'Body', network: [], timeout: 5, runtime: 'quickjs' };
    expect(plan({ secrets: [], metadata }, tags)).toMatchObject({
      description: 'Body',
      secretNames: [],
      network: [],
      runtime: 'quickjs',
      limits: { timeoutMs: 5_000 },
    });
    expect(plan({ metadata: { secrets: ['BODY_KEY'] } }, tags).secretNames).toEqual(['BODY_KEY']);
  });

  it('wants a container for what cannot run embedded', () => {
    expect(plan({ metadata: { runtime: 'python' } }).minimumIsolation).toBe('container');
    expect(plan({ metadata: { runtime: 'quickjs', isolation: 'gvisor' } }).minimumIsolation).toBe('gvisor');
  });

  it('accepts secrets in both places if they are the same set', () => {
    const both = { secrets: ['A_KEY', 'B_KEY'], metadata: { secrets: ['B_KEY', 'A_KEY', 'A_KEY'] } };
    expect(plan(both).secretNames).toEqual(['A_KEY', 'B_KEY']);
    expect(refusal({ secrets: ['A_KEY'], metadata: { secrets: ['A_KEY', 'B_KEY'] } })).toContain('metadata.secrets');
    expect(refusal({ secrets: ['A_KEY', 'B_KEY'], metadata: { secrets: ['A_KEY'] } })).toContain('metadata.secrets');
  });

  it('lets local names through only if the owner declared them', () => {
    const body = { metadata: { network: ['nas:8080'] } };
    expect(plan(body, '', ['nas']).network).toEqual([{ host: 'nas', port: 8080 }]);
    expect(refusal(body)).toContain('metadata.network.0: ');
  });

  it.each([
    ['a time-out in a tag', {}, '// @timeout 601', '@timeout'],
    ['a time-out that is no number', {}, '// @timeout soon', '@timeout'],
    ['a runtime in a tag', {}, '// @runtime bash', '@runtime'],
    ['a secret name in a tag', {}, '// @secrets A-B', '@secrets'],
    ['a host in a tag', {}, '// @network *.com', 'network'],
    ['a description in a tag', {}, `// @description ${'x'.repeat(2001)}`, '@description'],
    ['a wildcard over a public suffix', { metadata: { network: ['*.co.uk'] } }, '', 'metadata.network.0'],
    ['a reserved secret name', { secrets: ['NODE_OPTIONS'] }, '', 'secrets'],
    ['an http skill_url', { skill_url: 'http://a.example.org/x' }, '', 'skill_url'],
  ])('refuses %s and says where', (_name, body, code, where) => {
    expect(refusal(body, code)).toMatch(/^invalid_request/);
    expect(refusal(body, code)).toContain(where);
  });

  it('refuses arguments over 64 KiB', () => {
    expect(refusal({ args: { a: 'x'.repeat(65_530) } })).toMatch(/^too_large/);
    expect(refusal({ args: { a: 'x'.repeat(65_520) } })).toBe('accepted');
  });
});

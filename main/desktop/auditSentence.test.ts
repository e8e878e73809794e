import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { auditActor, auditSentence, toldKinds } from './auditSentence.ts';

const row = { actor: 'desktop', agent: 'laptop', skill_id: 'report', payload: {} };

describe('an audit event in words', () => {
  it('names who, what and for whom', () => {
    expect(auditSentence({ ...row, kind: 'request.created' })).toBe('laptop asked to run report');
    expect(auditSentence({ ...row, kind: 'request.approved', payload: { decision: 'forever' } })).toBe(
      'Approved report for laptop and trusts it always',
    );
    expect(auditSentence({ ...row, kind: 'run.finished', payload: { status: 'failed' } })).toBe(
      'report for laptop failed',
    );
    expect(auditActor({ actor: 'agent:agt_1', agent: 'laptop' })).toBe('laptop');
    expect(auditActor({ actor: 'agent:agt_1', agent: null })).toBe('agent:agt_1');
  });

  it('is there without its payload, its request and a known kind', () => {
    for (const kind of [...toldKinds, 'constructor', 'never.seen']) {
      expect(auditSentence({ actor: 'x', agent: null, skill_id: null, payload: null, kind }).length).toBeGreaterThan(3);
    }
    expect(auditSentence({ ...row, kind: 'constructor' })).toBe('constructor');
  });

  it('has words for every kind that the house writes', () => {
    const main = join(import.meta.dirname, '..');
    const written = readdirSync(main, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.startsWith('desktop'))
      .flatMap((file) => [...readFileSync(join(main, file), 'utf8').matchAll(/\bkind: '([a-z]+\.[a-z_]+)'/g)])
      .map((found) => found[1]);
    expect(written.length).toBeGreaterThan(20);
    expect(written.filter((kind) => !toldKinds.includes(kind ?? ''))).toEqual([]);
  });
});

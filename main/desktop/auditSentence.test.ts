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

  it('says what a setting is now, and pausing as what it is', () => {
    const changed = (key: string, value: unknown) =>
      auditSentence({ ...row, kind: 'setting.changed', payload: { key, value } });
    expect(changed('paused', true)).toBe('Paused everything');
    expect(changed('paused', false)).toBe('Resumed after a pause');
    expect(changed('approval.expires_minutes', 30)).toBe('Set approval.expires_minutes to 30');
    expect(changed('approval.expires_minutes', null)).toBe('Set approval.expires_minutes back to its default');
    expect(changed('llm.base_urls', { a: 1 })).toBe('Changed the setting llm.base_urls');
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

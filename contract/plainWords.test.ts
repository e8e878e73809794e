import { describe, expect, it } from 'vitest';
import { executeBodySchema } from './bridge.ts';
import { plainWords } from './plainWords.ts';

const told = (
  schema: Readonly<{ safeParse: typeof executeBodySchema.safeParse }>,
  value: unknown,
): string | undefined => {
  const issue = schema.safeParse(value, { error: plainWords }).error?.issues[0];
  return issue && `${issue.path.join('.')}: ${issue.message}`;
};
const ok = { skill_id: 'x', code: '1' };

describe('what is wrong with a value', () => {
  it.each<[string, unknown]>([
    ['skill_id: is missing', { code: '1' }],
    ['skill_id: must be 1 to 128 letters, digits or . _ - / @', { ...ok, skill_id: 'a b' }],
    ['code: must be text', { ...ok, code: 7 }],
    ['code: must not be empty', { ...ok, code: '' }],
    ['args: must be an object', { ...ok, args: [] }],
    ['secrets: must be at most 64 entries', { ...ok, secrets: Array.from({ length: 65 }, (_, at) => `S${at}`) }],
    ['secrets.0: must be letters, digits and underscores, not starting with a digit', { ...ok, secrets: ['A-B'] }],
    ['async: must be true or false', { ...ok, async: 'yes' }],
    ['metadata.timeout: must be at most 600', { ...ok, metadata: { timeout: 601 } }],
    ['metadata.timeout: must be a number', { ...ok, metadata: { timeout: '30' } }],
    ['metadata.memory_mb: must be at least 64', { ...ok, metadata: { memory_mb: 1 } }],
    ['metadata.memory_mb: must be a whole number', { ...ok, metadata: { memory_mb: 64.5 } }],
    ['metadata.runtime: must be deno or node or python or quickjs', { ...ok, metadata: { runtime: 'ruby' } }],
    ['metadata.description: must be at most 2000 characters', { ...ok, metadata: { description: 'x'.repeat(2001) } }],
    ['metadata: "root", "user" is not known here', { ...ok, metadata: { root: 1, user: 2 } }],
  ])('%s', (words, body) => expect(told(executeBodySchema, body)).toBe(words));

  it('never holds the value itself', () => {
    const marker = 'marker-value';
    const everywhere = { skill_id: `${marker} `, code: [marker], metadata: { runtime: marker, cpus: marker } };
    const issues = executeBodySchema.safeParse(everywhere, { error: plainWords }).error?.issues ?? [];
    expect(issues.length).toBe(4);
    expect(issues.map(({ message }) => message).join()).not.toContain(marker);
  });
});

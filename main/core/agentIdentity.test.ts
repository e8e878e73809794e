import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { agentTokenHash, isAgentName, makeAgentToken } from './agentIdentity.ts';

describe('a token', () => {
  it('holds 256 bits and is found by its hash', () => {
    const { token, sha256 } = makeAgentToken(randomBytes);
    expect(token).toMatch(/^oa3_[0-9A-Za-z]{43}$/);
    expect(agentTokenHash(token)).toBe(sha256);
  });

  it.each(['', 'oa3_', 'oa3_short', `oa3_${'a'.repeat(44)}`, `OA3_${'a'.repeat(43)}`, `oa3_${'a'.repeat(42)}\n`])(
    'cannot be %j',
    (text) => {
      expect(agentTokenHash(text)).toBeNull();
    },
  );
});

describe('a name', () => {
  it.each(['laptop', 'Büro 2', 'a.b_c@d-e', '機械', 'a'.repeat(64)])('may be %s', (name) =>
    expect(isAgentName(name)).toBe(true),
  );
  it.each(['', ' a', 'System', 'ＯＷＮＥＲ', 'a\nb', 'a\u202eb', '<b>', 'a'.repeat(65), 'a ', 'a  b', 'a\u3164'])(
    'may not be %j',
    (name) => {
      expect(isAgentName(name)).toBe(false);
    },
  );
});

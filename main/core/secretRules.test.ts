import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { checkSecretName, checkSecretValue, maxSecretLength } from './secretRules.ts';

describe('checkSecretName', () => {
  it.each(['OPENAI_API_KEY', '_x', 'a', 'K9', 'HOME_ASSISTANT_TOKEN', 'PATHS', 'NODEJS_KEY', `A${'b'.repeat(127)}`])(
    'accepts %j',
    (name) => expect(checkSecretName(name)).toEqual({ ok: true }),
  );

  it.each(['', '9A', 'A-B', 'A B', 'A=B', 'Ä', 'A\n', '\u200bA', `A${'b'.repeat(128)}`, 'a.b'])('refuses %j', (name) =>
    expect(checkSecretName(name).ok).toBe(false),
  );

  it.each([
    'PATH',
    'path',
    'LD_PRELOAD',
    'NODE_OPTIONS',
    'HTTP_PROXY',
    'https_proxy',
    'NO_PROXY',
    'SKILL_ARGS',
    'DENO_AUTH_TOKENS',
    'PYTHONPATH',
    'DYLD_INSERT_LIBRARIES',
    'OAUTH3_DATA_DIR',
    'SSL_CERT_FILE',
    '__proto__',
    'constructor',
    'BASH_ENV',
    'IFS',
    'GIT_SSL_CAINFO',
  ])('refuses %s, which steers a runtime', (name) =>
    expect(checkSecretName(name)).toMatchObject({ ok: false, reason: expect.stringContaining(name) }),
  );
});

describe('checkSecretValue', () => {
  const random = randomBytes(24).toString('base64');

  it('accepts what a header can carry', () => {
    for (const value of [random, `user:${random}`, `with space ${random}`, `ü${random}`]) {
      expect(checkSecretValue(value)).toEqual({ ok: true });
    }
  });

  it('accepts several lines for raw delivery, with one line break at the end', () => {
    const pem = `-----BEGIN KEY-----\n${random}\n-----END KEY-----`;
    for (const value of [pem, `${pem}\n`, `${pem}\r\n`, `{"key":"${random}"}`]) {
      expect(checkSecretValue(value, 'raw')).toEqual({ ok: true });
    }
    expect(checkSecretValue(`${pem}\n\n`, 'raw').ok).toBe(false);
    expect(checkSecretValue(` ${pem}`, 'raw').ok).toBe(false);
  });

  it('refuses characters that no text has', () => {
    expect(checkSecretValue(`${random}\0${random}`, 'raw').ok).toBe(false);
    expect(checkSecretValue(`${random}\u001b`, 'raw').ok).toBe(false);
    expect(checkSecretValue(`${random}\ud800`, 'raw').ok).toBe(false);
  });

  it('refuses what is longer than anything useful', () => {
    expect(checkSecretValue(`${random}${'x1y2'.repeat(maxSecretLength)}`, 'raw').ok).toBe(false);
  });

  it('refuses what only repeats a part of itself', () => {
    const part = random.slice(0, 16);
    for (const value of ['abcdabcdabcd', part.repeat(3), part.repeat(1000)]) {
      expect(checkSecretValue(value)).toMatchObject({ ok: false, reason: expect.stringContaining('repeats') });
    }
    expect(checkSecretValue(`${part.repeat(3)}x`)).toEqual({ ok: true });
  });

  it('never repeats the value in its reason', () => {
    const verdict = checkSecretValue(` ${random}`);
    expect(JSON.stringify(verdict)).not.toContain(random);
  });
});

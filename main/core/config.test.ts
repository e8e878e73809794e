import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from './config.ts';

const read = (env: Record<string, string | undefined>) =>
  readConfig(env, (text) => {
    if (text.includes('bad')) throw new Error('is not name=address');
    return text;
  });

const refusal = (env: Record<string, string>): string => {
  try {
    read(env);
    return 'accepted';
  } catch (error) {
    return error instanceof ConfigError ? error.message : `not a ConfigError: ${String(error)}`;
  }
};

describe('the environment', () => {
  it('may say nothing at all', () => {
    expect(read({})).toEqual({
      port: 3737,
      bind: ['127.0.0.1'],
      allowedHosts: [],
      telegram: { botToken: null, chatIds: [], apiRoot: null },
      openclawHook: null,
      sandbox: null,
      dockerHost: null,
      egressCaFile: null,
      localServices: '',
      llmBaseUrls: new Map(),
      passphraseFile: null,
      logLevel: 'info',
    });
    expect(read({ PORT: '', OAUTH3_BIND: ' ', TELEGRAM_BOT_TOKEN: '' })).toEqual(read({}));
  });

  it('is read in full', () => {
    const config = read({
      PORT: '4000',
      OAUTH3_BIND: '127.0.0.1, ::1, [fd00:0:0::1]',
      OAUTH3_ALLOWED_HOSTS: 'host.docker.internal, Box.LAN',
      TELEGRAM_BOT_TOKEN: '123:abc-DEF_1',
      TELEGRAM_CHAT_ID: '42, -1001',
      TELEGRAM_API_ROOT: 'http://127.0.0.1:9000',
      OPENCLAW_HOOK_URL: 'http://127.0.0.1:18789/hooks/wake',
      OPENCLAW_HOOK_TOKEN: 'tok',
      OAUTH3_SANDBOX: 'docker',
      OAUTH3_EGRESS_HOSTS: 'nas=192.168.1.2',
      OAUTH3_LLM_BASE_URLS: 'openai=https://a.example/v1,ollama=http://127.0.0.1:11434',
      LOG_LEVEL: 'warn',
    });
    expect(config).toMatchObject({
      port: 4000,
      bind: ['127.0.0.1', '::1', 'fd00::1'],
      allowedHosts: ['host.docker.internal', 'box.lan'],
      telegram: { botToken: '123:abc-DEF_1', chatIds: [42, -1001], apiRoot: 'http://127.0.0.1:9000' },
      openclawHook: { url: 'http://127.0.0.1:18789/hooks/wake', token: 'tok' },
      sandbox: 'docker',
      localServices: 'nas=192.168.1.2',
      logLevel: 'warn',
    });
    expect(config.llmBaseUrls.get('ollama')).toBe('http://127.0.0.1:11434');
  });

  it('means debug with DEBUG=* unless LOG_LEVEL says otherwise', () => {
    expect(read({ DEBUG: '*' }).logLevel).toBe('debug');
    expect(read({ DEBUG: '*', LOG_LEVEL: 'error' }).logLevel).toBe('error');
  });

  it.each([
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '3737x'],
    ['OAUTH3_BIND', '0.0.0.0'],
    ['OAUTH3_BIND', '127.0.0.1,::'],
    ['OAUTH3_BIND', '[::0]'],
    ['OAUTH3_BIND', '::ffff:0.0.0.0'],
    ['OAUTH3_BIND', '0'],
    ['OAUTH3_BIND', 'localhost'],
    ['OAUTH3_BIND', '127.1'],
    ['OAUTH3_BIND', ','],
    ['OAUTH3_ALLOWED_HOSTS', 'a b'],
    ['OAUTH3_ALLOWED_HOSTS', 'http://a.example'],
    ['OAUTH3_ALLOWED_HOSTS', '*'],
    ['TELEGRAM_BOT_TOKEN', 'token'],
    ['TELEGRAM_CHAT_ID', '42,me'],
    ['TELEGRAM_API_ROOT', 'api.telegram.org'],
    ['OPENCLAW_HOOK_URL', 'file:///etc/passwd'],
    ['OPENCLAW_HOOK_TOKEN', 'token-without-url'],
    ['OAUTH3_SANDBOX', 'none'],
    ['OAUTH3_EGRESS_HOSTS', 'bad'],
    ['OAUTH3_LLM_BASE_URLS', 'openai'],
    ['OAUTH3_LLM_BASE_URLS', 'openai=ftp://x'],
    ['LOG_LEVEL', 'loud'],
  ])('%s=%s stops the start with one line that names the variable', (name, value) => {
    const message = refusal({ [name]: value });
    expect(message).toMatch(new RegExp(`^${name}: .+`));
    expect(message).not.toContain('\n');
  });

  it('never repeats a value that may be a secret', () => {
    expect(refusal({ TELEGRAM_BOT_TOKEN: 'half-a-token' })).not.toContain('half');
    expect(refusal({ OPENCLAW_HOOK_URL: 'https://u:hunter2@a.example' })).not.toContain('hunter2');
  });
});

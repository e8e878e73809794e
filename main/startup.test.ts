import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from './core/config.ts';
import { readPassphrase, readTrust } from './startFiles.ts';
import { environmentWithFile, explainStartFailure, readStartFacts, readyText } from './startup.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oauth3-startup-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function file(text: string | Uint8Array): string {
  const path = join(folder, randomBytes(4).toString('hex'));
  writeFileSync(path, text);
  return path;
}

describe('the environment of a start', () => {
  it('wins over .env beside package.json', () => {
    writeFileSync(join(folder, '.env'), 'PORT=4000\nLOG_LEVEL="debug"\n# OAUTH3_SANDBOX=docker\n');
    const env = environmentWithFile({ PORT: '5000' }, folder);
    expect(env).toEqual({ PORT: '5000', LOG_LEVEL: 'debug' });
    expect(environmentWithFile({}, join(folder, 'missing'))).toEqual({});
  });

  it('gives an absolute data folder', () => {
    expect(readStartFacts({ OAUTH3_DATA_DIR: 'some/folder' }).dataDir).toBe(join(process.cwd(), 'some/folder'));
  });

  it.each([
    ['PORT', '99999'],
    ['OAUTH3_BIND', '::'],
    ['OAUTH3_EGRESS_HOSTS', 'nonsense'],
    ['OAUTH3_SANDBOX', 'chroot'],
    ['TELEGRAM_CHAT_ID', 'me'],
  ])('a bad %s is one line with its name, and exit 78', (variable, value) => {
    try {
      readStartFacts({ [variable]: value });
      expect.unreachable();
    } catch (error) {
      const { line, exitCode } = explainStartFailure(error);
      expect(exitCode).toBe(78);
      expect(line).toContain(variable);
      expect(line).not.toContain('\n');
    }
  });
});

describe('files that the environment names', () => {
  it('the passphrase loses one newline and nothing else', () => {
    expect(readPassphrase({ passphraseFile: file(' with spaces \n\n') })).toBe(' with spaces \n');
    expect(readPassphrase({ passphraseFile: null })).toBeUndefined();
    expect(() => readPassphrase({ passphraseFile: file('\n') })).toThrow(ConfigError);
    expect(() => readPassphrase({ passphraseFile: join(folder, 'missing') })).toThrow(ConfigError);
  });

  it('roots have to be certificates', () => {
    expect(() => readTrust({ egressCaFile: file('not a certificate') })).toThrow(ConfigError);
    expect(() => readTrust({ egressCaFile: folder })).toThrow(ConfigError);
  });
});

describe('what a start says', () => {
  it('is what is missing, a line each, and the ready line last', () => {
    expect(readyText(['Telegram is not configured.'], 'http://127.0.0.1:3737', 42, '/data')).toBe(
      'Telegram is not configured.\noauth3 ready http://127.0.0.1:3737 pid=42 data=/data\n',
    );
  });

  it('is one line of an error of several', () => {
    expect(explainStartFailure(new Error('first\n  second'))).toEqual({
      line: 'oauth3 cannot start: first second',
      exitCode: 1,
    });
  });
});

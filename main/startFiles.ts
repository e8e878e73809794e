import { readFileSync } from 'node:fs';
import type { SecureContext } from 'node:tls';
import { type Config, ConfigError } from './core/config.ts';
import { parseRoots, RootsSyntaxError, trustContext } from './net/roots.ts';

function readNamedFile(variable: string, path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${error.code})` : '';
    throw new ConfigError(variable, `the file ${path} cannot be read${code}`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // Random bytes would lose most of their strength on the way to text, and differently elsewhere.
    throw new ConfigError(variable, `the file ${path} is not valid UTF-8 text`);
  }
}

/** The passphrase of OAUTH3_PASSPHRASE_FILE without one trailing newline. ConfigError when it cannot be read or is empty. */
export function readPassphrase({ passphraseFile }: Pick<Config<unknown>, 'passphraseFile'>): string | undefined {
  if (passphraseFile === null) return undefined;
  const passphrase = readNamedFile('OAUTH3_PASSPHRASE_FILE', passphraseFile).replace(/\r?\n$/, '');
  if (passphrase === '') throw new ConfigError('OAUTH3_PASSPHRASE_FILE', `the file ${passphraseFile} is empty`);
  return passphrase;
}

/** What upstream connections trust: bundled roots and those of OAUTH3_EGRESS_CA_FILE. ConfigError for a bad file. */
export function readTrust({ egressCaFile }: Pick<Config<unknown>, 'egressCaFile'>): SecureContext {
  if (egressCaFile === null) return trustContext([]);
  try {
    return trustContext(parseRoots(readNamedFile('OAUTH3_EGRESS_CA_FILE', egressCaFile)));
  } catch (error) {
    if (error instanceof RootsSyntaxError) throw new ConfigError('OAUTH3_EGRESS_CA_FILE', error.message);
    throw error;
  }
}

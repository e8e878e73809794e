import { homedir } from 'node:os';
import path from 'node:path';
import { cacheDir } from '../../contract/dataDir.ts';

/** The folder that holds package.json. */
export const root = path.resolve(import.meta.dirname, '../..');

/** What set-up makes once and every checkout shares: the borrowed runtime and bindings. Safe to delete. */
export const cacheDirectory = cacheDir({ env: process.env, platform: process.platform, homeDir: homedir() });

export const isRoot = process.getuid?.() === 0;

/** One plain line for the person who typed the command. */
export const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Set-up that cannot go on: the message says what the reader has to do; no stack is printed. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}

/** Runs the body of a script; a SetupError ends it with one line and exit code 1. */
export const runScript = async (body: () => Promise<number>): Promise<void> => {
  try {
    process.exitCode = await body();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
};

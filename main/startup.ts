import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { cacheDir, dataDir } from '../contract/dataDir.ts';
import { type Config, ConfigError, readConfig } from './core/config.ts';
import type { Log } from './core/log.ts';
import { type LocalServices, parseLocalServices } from './net/localServices.ts';

/** What the environment says about this start, with or without Electron. */
export type StartFacts = Readonly<{
  config: Config<LocalServices>;
  /** Absolute. */
  dataDir: string;
  /** Absolute; what is in it can be made again. */
  cacheDir: string;
  /** better-sqlite3's binding for a runtime that cannot load the prebuilt one; set by the launcher. */
  nativeBinding: string | undefined;
}>;

type Environment = Readonly<Record<string, string | undefined>>;

/** EX_CONFIG of sysexits.h: the configuration is wrong, starting again will not help. */
export const exitBadConfig = 78;
export const exitFailed = 1;

/** The nearest folder above our code that holds a package.json, in the repository and in a packaged app alike. */
export function packageFolder(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); dirname(folder) !== folder; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
  }
  return process.cwd();
}

/** `.env` beside package.json under the environment of the process, which wins. ConfigError if it cannot be read. */
export function environmentWithFile(processEnvironment: Environment, folder: string = packageFolder()): Environment {
  const file = join(folder, '.env');
  if (!existsSync(file)) return processEnvironment;
  try {
    return { ...parseEnv(readFileSync(file, 'utf8')), ...processEnvironment };
  } catch {
    throw new ConfigError('.env', 'cannot be read');
  }
}

/** Throws ConfigError. */
export function readStartFacts(env: Environment): StartFacts {
  const machine = { env, platform: process.platform, homeDir: homedir() };
  return {
    config: readConfig(env, parseLocalServices),
    dataDir: resolve(dataDir(machine)),
    cacheDir: cacheDir(machine),
    nativeBinding: env.OAUTH3_SQLITE_BINDING === '' ? undefined : env.OAUTH3_SQLITE_BINDING,
  };
}

/** What is missing, in plain lines for a person, then the one line that tells a watching program that the bridge answers. */
export function readyText(missingParts: readonly string[], url: string, pid: number, folder: string): string {
  return [...missingParts, `oauth3 ready ${url} pid=${pid} data=${folder}`, ''].join('\n');
}

/** A start that failed, as one line for a person and an exit code. Errors of ours say in their message what to do. */
export function explainStartFailure(error: unknown): Readonly<{ line: string; exitCode: number }> {
  const message = error instanceof Error ? error.message : String(error);
  const line = `oauth3 cannot start: ${message.replaceAll(/\s*\n\s*/g, ' ')}`;
  return { line, exitCode: error instanceof ConfigError ? exitBadConfig : exitFailed };
}

/**
 * A defect that nobody caught: what is going on is not known any more, so the process ends in order and can be started
 * again. Only the class and the places are logged; the message of a stray error may quote anything.
 */
export function endOnDefect(log: Log, end: () => Promise<void>): void {
  let ending = false;
  const report = (error: unknown): void => {
    const [name, places] =
      error instanceof Error ? [error.name, error.stack?.match(/^ +at .*$/gm)] : [typeof error, []];
    log.error({ error: name, places: places ?? [] }, 'A defect: the broker ends');
    if (ending) return;
    ending = true;
    void end().finally(() => process.exit(exitFailed));
  };
  process.on('uncaughtException', report);
  process.on('unhandledRejection', report);
}

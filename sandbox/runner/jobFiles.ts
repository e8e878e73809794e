import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type RunnerJob, runnerProtocol } from '../../contract/runnerProtocol.ts';

/** The usual place in images. */
const PUBLIC_ROOTS = '/etc/ssl/certs/ca-certificates.crt';

const publicRoots = (): string => {
  try {
    return readFileSync(PUBLIC_ROOTS, 'utf8');
  } catch {
    return '';
  }
};

/** Everything is new: a file that is there already was not put there by us. */
const writeNew = (file: string, content: Buffer | string): void => {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, content, { flag: 'wx', mode: 0o600 });
};

/**
 * Writes what the job finds in /tmp. Throws when the disk says no. Without the thread pool on purpose: /tmp is memory,
 * and threads count against the job's limit of processes.
 */
export const writeJobFiles = (job: RunnerJob): void => {
  mkdirSync(job.cwd, { recursive: true, mode: 0o700 });
  writeNew(runnerProtocol.authorityFile, job.authorityPem);
  writeNew(runnerProtocol.rootsFile, `${job.authorityPem.trimEnd()}\n${publicRoots()}`);
  for (const [file, content] of Object.entries(job.files)) writeNew(file, Buffer.from(content, 'base64'));
};

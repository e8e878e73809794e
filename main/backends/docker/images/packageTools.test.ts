import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DebianPackages, debianRelease } from './debianPackages.ts';
import { placeNpmFile } from './npmPackages.ts';

const isDebian = (await debianRelease()) !== null;
const nobody = 'http://127.0.0.1:9/';
const signal = AbortSignal.timeout(60_000);

let work: string;
beforeEach(async () => {
  work = await mkdtemp(path.join(tmpdir(), 'oauth3-tools-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(work, { recursive: true, force: true });
});

describe('what fetches packages says, where nobody answers,', () => {
  it('that npm did not reach its registry', async () => {
    vi.stubEnv('npm_config_registry', nobody);
    vi.stubEnv('npm_config_fetch_retries', '0');
    const file = { spec: 'no-such-package@1.0.0', integrity: '', from: 'a', to: '/a' };
    await expect(placeNpmFile(file, work, work, signal)).rejects.toThrow(
      'npm could not reach its registry, from which no-such-package@1.0.0 comes (ECONNREFUSED)',
    );
  }, 60_000);

  it.runIf(isDebian)(
    'that apt-get did not reach the sources of packages',
    async () => {
      const settings = path.join(work, 'apt.conf');
      await writeFile(
        settings,
        `Acquire::Retries "0"; Acquire::http::Proxy "${nobody}"; Acquire::https::Proxy "${nobody}";`,
      );
      vi.stubEnv('APT_CONFIG', settings);
      await expect(new DebianPackages(work, signal).unpack(['libc6'], work)).rejects.toThrow(
        "apt-get could not reach any of this machine's sources of Debian packages",
      );
    },
    60_000,
  );
});

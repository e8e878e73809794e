import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { bundleRunner } from '../../build/runnerBundle.ts';
import { runnerFile } from '../../main/backends/docker/runnerFile.ts';
import { root } from '../../scripts/setup/checkout.ts';
import { ensureRunnerBuilt } from '../../scripts/setup/runnerBuild.ts';

describe('the file of the runner', () => {
  it('has the same bytes wherever the sources stand', async () => {
    const elsewhere = await mkdtemp(path.join(tmpdir(), 'oauth3-bundle-'));
    try {
      for (const folder of ['contract', 'sandbox/runner']) {
        await cp(path.join(root, folder), path.join(elsewhere, folder), { recursive: true });
      }
      expect(await bundleRunner(elsewhere)).toBe(await bundleRunner(root));
    } finally {
      await rm(elsewhere, { recursive: true, force: true });
    }
  });

  it('stands where the app looks for it, up to date', async () => {
    expect(await ensureRunnerBuilt()).toBe(runnerFile(root));
    expect(await readFile(runnerFile(root), 'utf8')).toBe(await bundleRunner(root));
  });

  it('is made of nothing but node', async () => {
    const imports = [...(await bundleRunner(root)).matchAll(/^import .* from "(.*)";$/gm)].map(([, name]) => name);
    expect(imports.length).toBeGreaterThan(0);
    expect(imports.filter((name) => !name?.startsWith('node:') && name !== 'node')).toEqual([]);
  });
});

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hardeningFlags } from './hardenedNode.ts';

/** Runs a program with the flags of a sandbox process that stands in a folder of its own. */
function runHardened(code: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-hardened-'));
  const program = join(folder, 'program.mjs');
  try {
    writeFileSync(program, code);
    const { stdout, stderr } = spawnSync(process.execPath, [...hardeningFlags(program), program], {
      encoding: 'utf8',
      env: {},
    });
    return stdout === '' ? stderr : stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('the flags of a sandbox process', () => {
  it.each([
    [
      'reads no file but its own',
      "await import('node:fs').then((fs) => fs.readFileSync('/etc/hosts'))",
      'ERR_ACCESS_DENIED',
    ],
    [
      'writes no file',
      "await import('node:fs').then((fs) => fs.writeFileSync(new URL('x', import.meta.url), 'x'))",
      'ERR_ACCESS_DENIED',
    ],
    [
      'starts no process',
      "await import('node:child_process').then((c) => c.execFileSync('/bin/true'))",
      'ERR_ACCESS_DENIED',
    ],
    ['makes no code from strings', "new Function('return 1')()", 'EvalError'],
  ])('mean that it %s', (_what, statement, refusal) => {
    expect(
      runHardened(
        `try { ${statement}; console.log('done'); } catch (error) { console.log(error.code ?? error.name); }`,
      ),
    ).toBe(`${refusal}\n`);
  });

  it('leave out what this Node does not know', () => {
    expect(hardeningFlags('/x/child.js', new Set(['--no-addons']))).toEqual([
      '--max-old-space-size=256',
      '--no-addons',
    ]);
  });
});

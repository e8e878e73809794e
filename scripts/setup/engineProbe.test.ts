import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { problemWithRuntime, smallestProgram } from './engineProbe.ts';

describe('the probe of a container engine', () => {
  it.runIf(process.platform === 'linux')('is a program that this processor runs and that ends well', () => {
    const folder = mkdtempSync(join(tmpdir(), 'oauth3-probe-'));
    const file = join(folder, 'exit');
    const program = smallestProgram(process.arch);
    if (!program) throw new Error(`no program for ${process.arch}`);
    writeFileSync(file, program, { mode: 0o755 });
    expect(execFileSync(file, { env: {} }).length).toBe(0);
    rmSync(folder, { recursive: true });
  });

  it('fails for a runtime that the engine does not list, and for an engine that is gone', async () => {
    const engine = {
      url: 'unix:///nonexistent/engine.sock',
      socketPath: '/nonexistent/engine.sock',
      socketGroupId: null,
      version: '1',
      runtimes: { runc: [] },
    };
    expect(await problemWithRuntime(engine, 'runsc')).toBe('it does not list the runtime runsc');
    expect(await problemWithRuntime(engine)).toContain('does not answer');
  });
});

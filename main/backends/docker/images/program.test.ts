import { describe, expect, it } from 'vitest';
import { runProgram, toolEnvironment } from './program.ts';

const options = { cwd: '/', signal: AbortSignal.timeout(10_000), timeoutMs: 10_000 };
const node = (script: string, more: Partial<typeof options> = {}) =>
  runProgram(process.execPath, ['-e', script], { ...options, ...more });

describe('a program that fetches packages', () => {
  it('sees what it needs to reach its registry, and nothing else of our environment', () => {
    const needed = { PATH: '/bin', HOME: '/h', https_proxy: 'p', npm_config_registry: 'r', NODE_EXTRA_CA_CERTS: 'c' };
    const other = { OAUTH3_PASSPHRASE: 'x', NODE_OPTIONS: 'x', LD_PRELOAD: 'x', AWS_SECRET_ACCESS_KEY: 'x' };
    expect(toolEnvironment({ ...needed, ...other })).toEqual(needed);
  });

  it('gives what it prints', async () => {
    expect(await node('console.log("1.0")')).toBe('1.0\n');
  });

  it('fails with the line in which it says why', async () => {
    const script = 'console.error("npm error 404 No match\\nA log of this run is in a file"); process.exit(1)';
    await expect(node(script)).rejects.toThrow(/node\S* failed: 404 No match$/);
    const numberFirst =
      'console.error("npm error code E404\\nnpm error 404 No match\\nnpm error A log"); process.exit(1)';
    await expect(node(numberFirst)).rejects.toThrow(/failed: 404 No match$/);
    await expect(node('console.error("E: No such package"); process.exit(1)')).rejects.toThrow(
      /failed: No such package$/,
    );
    await expect(node('console.error("one\\nlast words"); process.exit(1)')).rejects.toThrow(/failed: last words$/);
    await expect(node('process.exit(3)')).rejects.toThrow('exit code 3');
    await expect(runProgram('no-such-program', [], options)).rejects.toThrow('no-such-program is not on this machine');
  });

  it('is ended when it takes too long, and when it is not wanted any more', async () => {
    const forever = 'setInterval(() => {}, 1000)';
    await expect(node(forever, { timeoutMs: 200 })).rejects.toThrow('it took too long');
    await expect(node(forever, { signal: AbortSignal.timeout(100) })).rejects.toThrow('It was stopped');
  });
});

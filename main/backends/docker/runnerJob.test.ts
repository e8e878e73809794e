import { describe, expect, it } from 'vitest';
import { runnerJob, sandboxEnvNames } from './runnerJob.ts';
import { runtimeTable } from './runtimeTable.ts';

const row = runtimeTable.find(({ runtime }) => runtime === 'python');
if (row === undefined) throw new Error('no row');
const job = {
  runId: 'run_1',
  runtime: 'python',
  code: new TextEncoder().encode('print("é")'),
  env: { GREETING: 'hi', SKILL_ARGS: '{}', HTTPS_PROXY: 'http://elsewhere', NODE_OPTIONS: '--x' },
  limits: { timeoutMs: 1234, memoryMb: 256, cpus: 0.5 },
} as const;
const told = runnerJob(row, job, 'PEM');

describe('what the runner is told', () => {
  it('is the exact code in a file, the row’s program and the time', () => {
    expect(told.command).toEqual(row.command);
    expect(Object.keys(told.files)).toEqual([row.codeFile]);
    expect(Buffer.from(told.files[row.codeFile] ?? '', 'base64')).toEqual(Buffer.from(job.code));
    expect(told).toMatchObject({ cwd: '/tmp/job', stdin: '', timeoutMs: 1234, authorityPem: 'PEM' });
  });

  it('is the environment of the job, but where the network is, the sandbox says', () => {
    expect(told.env).toMatchObject({ GREETING: 'hi', SKILL_ARGS: '{}', ...row.env });
    for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy']) {
      expect([name, told.env[name]]).toEqual([name, 'http://127.0.0.1:3128']);
    }
    expect([told.env.NO_PROXY, told.env.no_proxy]).toEqual(['', '']);
    expect(told.env).toMatchObject({ HOME: '/tmp', LANG: 'C.UTF-8', SSL_CERT_FILE: '/tmp/oauth3-roots.pem' });
    expect(Object.keys(told.env).sort()).toEqual(
      [...new Set([...Object.keys(job.env), ...Object.keys(row.env), ...sandboxEnvNames])].sort(),
    );
  });
});

import { type RunnerJob, runnerProtocol } from '../../../contract/runnerProtocol.ts';
import type { SandboxJob } from '../../runs/backend.ts';
import { jobProgram } from './jobProgram.ts';
import type { RuntimeRow } from './runtimeTable.ts';

const { authorityFile, rootsFile, proxy, jobFolder } = runnerProtocol;
const proxyUrl = `http://${proxy.host}:${proxy.port}`;

/**
 * How each client that we know finds the proxy and the run's authority. Those that add a certificate get it alone, those
 * that replace their list get it together with the public ones.
 */
const networkEnv: Readonly<Record<string, string>> = {
  HTTP_PROXY: proxyUrl,
  http_proxy: proxyUrl,
  HTTPS_PROXY: proxyUrl,
  https_proxy: proxyUrl,
  NO_PROXY: '',
  no_proxy: '',
  NODE_EXTRA_CA_CERTS: authorityFile,
  DENO_CERT: authorityFile,
  SSL_CERT_FILE: rootsFile,
  REQUESTS_CA_BUNDLE: rootsFile,
  CURL_CA_BUNDLE: rootsFile,
  PIP_CERT: rootsFile,
  GIT_SSL_CAINFO: rootsFile,
};

const homeEnv: Readonly<Record<string, string>> = {
  HOME: '/tmp',
  PATH: '/usr/local/bin:/usr/bin:/bin',
  LANG: 'C.UTF-8',
  // Deno colours its errors even when nobody looks.
  NO_COLOR: '1',
};

/** Names that the sandbox itself puts into the environment of a job, besides those of the runtime's row. */
export const sandboxEnvNames: readonly string[] = [...Object.keys(networkEnv), ...Object.keys(homeEnv)];

/** Environment of a job. The sandbox's own names win: a job that set them would only cut itself off. */
function jobEnv(row: RuntimeRow, env: SandboxJob['env']): Readonly<Record<string, string>> {
  return { ...env, ...row.env, ...networkEnv, ...homeEnv };
}

/** What the runner is told. */
export function runnerJob(row: RuntimeRow, job: SandboxJob, authorityPem: string): RunnerJob {
  const { command, codeFile } = jobProgram(row, job.code);
  return {
    command,
    env: jobEnv(row, job.env),
    cwd: jobFolder,
    files: { [codeFile]: Buffer.from(job.code).toString('base64') },
    stdin: '',
    authorityPem,
    timeoutMs: job.limits.timeoutMs,
  };
}

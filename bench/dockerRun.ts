import { spawn } from 'node:child_process';
import { z } from 'zod';
import { defaultLimits } from '../contract/bridge.ts';
import { containerSpec } from '../main/backends/docker/containerSpec.ts';
import { seccompProfile } from '../main/backends/docker/seccompProfile.ts';

/** Containers of the bench carry it, so that nobody takes them for one of the app's. */
export const benchLabel = 'oauth3.bench';

/** What the app asks the engine for; `engineRuntime` is `runc` or `runsc`. */
export const hardenedSpec = (imageId: string, engineRuntime: string): object =>
  containerSpec({
    imageId,
    engineRuntime,
    limits: defaultLimits,
    seccompProfile,
    labels: { installId: 'bench', sandboxId: 'bench', createdAt: '' },
  });

/** Strict, so that what the app adds to its containers does not go missing here without a word. */
const hostConfig = z.strictObject({
  Runtime: z.string(),
  NetworkMode: z.string(),
  Sysctls: z.record(z.string(), z.string()),
  PublishAllPorts: z.literal(false),
  Privileged: z.literal(false),
  CapDrop: z.array(z.string()),
  SecurityOpt: z.array(z.string()),
  ReadonlyRootfs: z.literal(true),
  Tmpfs: z.record(z.string(), z.string()),
  Memory: z.number(),
  MemorySwap: z.number(),
  NanoCpus: z.number(),
  PidsLimit: z.number(),
  Ulimits: z.array(z.strictObject({ Name: z.string(), Soft: z.number(), Hard: z.number() })),
  ShmSize: z.number(),
  IpcMode: z.string(),
  CgroupnsMode: z.string(),
  OomScoreAdj: z.number(),
  LogConfig: z.strictObject({ Type: z.string(), Config: z.strictObject({}) }),
  Init: z.literal(false),
  RestartPolicy: z.strictObject({ Name: z.literal('no'), MaximumRetryCount: z.literal(0) }),
  AutoRemove: z.literal(false),
});
const specSchema = z.looseObject({
  Image: z.string(),
  User: z.string(),
  WorkingDir: z.string(),
  Hostname: z.string(),
  StopSignal: z.string(),
  HostConfig: hostConfig,
});

export type DockerRun = Readonly<{
  imageId: string;
  engineRuntime: string;
  /** A file that holds the seccomp profile: this client takes no text. */
  profileFile: string;
  command: readonly string[];
  env: Readonly<Record<string, string>>;
  /** Instead of none. */
  network?: string;
  /** Further flags. */
  flags?: readonly string[];
}>;

/** `docker run --rm` with everything that the app says of its containers, as flags. */
export function dockerRunArgs(wish: DockerRun): readonly string[] {
  const spec = specSchema.parse(hardenedSpec(wish.imageId, wish.engineRuntime));
  const host = spec.HostConfig;
  const [program = '', ...args] = wish.command;
  const each = (flag: string, values: readonly string[]): readonly string[] => values.flatMap((value) => [flag, value]);
  return [
    ...['run', '--rm', '--interactive', '--label', `${benchLabel}=1`, '--runtime', host.Runtime],
    ...['--network', wish.network ?? host.NetworkMode, '--user', spec.User, '--workdir', spec.WorkingDir],
    ...['--hostname', spec.Hostname, '--stop-signal', spec.StopSignal, '--no-healthcheck', '--read-only'],
    ...each('--cap-drop', host.CapDrop),
    ...each(
      '--sysctl',
      Object.entries(host.Sysctls).map(([name, value]) => `${name}=${value}`),
    ),
    ...each(
      '--security-opt',
      host.SecurityOpt.map((option) => (option.startsWith('seccomp=') ? `seccomp=${wish.profileFile}` : option)),
    ),
    ...each(
      '--tmpfs',
      Object.entries(host.Tmpfs).map(([folder, options]) => `${folder}:${options}`),
    ),
    ...['--memory', `${host.Memory}b`, '--memory-swap', `${host.MemorySwap}b`, '--cpus', `${host.NanoCpus / 1e9}`],
    ...['--pids-limit', `${host.PidsLimit}`, '--shm-size', `${host.ShmSize}b`, '--ipc', host.IpcMode],
    ...['--cgroupns', host.CgroupnsMode, '--oom-score-adj', `${host.OomScoreAdj}`],
    ...['--log-driver', host.LogConfig.Type],
    ...each(
      '--ulimit',
      host.Ulimits.map(({ Name, Soft, Hard }) => `${Name}=${Soft}:${Hard}`),
    ),
    ...each(
      '--env',
      Object.entries(wish.env).map(([name, value]) => `${name}=${value}`),
    ),
    ...(wish.flags ?? []),
    ...['--entrypoint', program, spec.Image, ...args],
  ];
}

/** Runs a docker command with `input` on its stdin; resolves with what it printed. Rejects when it fails. */
export function docker(engineUrl: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('docker', args, { env: { ...process.env, DOCKER_HOST: engineUrl } });
    const [out, problem]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => problem.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      const said = Buffer.concat(code === 0 ? out : problem).toString('utf8');
      if (code === 0) resolve(said);
      else reject(new Error(`docker ${args[0]} ended with ${code}: ${said}`));
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

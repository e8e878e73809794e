import { runnerNodeFlags } from '../../../contract/runnerProtocol.ts';
import { imageBasis } from './imageBasis.ts';

/** What a sandbox may use of the machine. The kernel holds all of it to these numbers. */
export type ContainerLimits = Readonly<{ memoryMb: number; cpus: number }>;

export type ContainerWish = Readonly<{
  /** Id of the image, `sha256:…`: a tag could mean another one tomorrow. */
  imageId: string;
  /** The engine's name for the isolation level, as it lists it. */
  engineRuntime: string;
  limits: ContainerLimits;
  seccompProfile: string;
  labels: Readonly<{ installId: string; sandboxId: string; createdAt: string }>;
}>;

export const containerLabels = {
  app: 'oauth3.app',
  install: 'oauth3.install',
  sandbox: 'oauth3.sandbox',
  created: 'oauth3.created',
} as const;

const mib = 1024 * 1024;
const { node, runner, user } = imageBasis;
const tmpMb = 64;
const openFiles = 512;
const processes = 128;

/**
 * What waits in TCP sockets is memory of the kernel, and cgroup v1 does not count it as the container's. These are the
 * bounds of one socket (min, default, max; bytes) in the container's own network; the seccomp profile leaves no way
 * around them. Larger ones make the tunnel no faster.
 */
const socketBuffers = { 'net.ipv4.tcp_rmem': '4096 32768 65536', 'net.ipv4.tcp_wmem': '4096 16384 65536' } as const;

/** Limits of a container, as the engine names them: the same fields when it is made and when they are changed. */
export function limitFields({ memoryMb, cpus }: ContainerLimits): Readonly<Record<string, number>> {
  const memory = memoryMb * mib;
  // The same number twice: no swap. cpu shares would only weigh, this is a ceiling.
  return { Memory: memory, MemorySwap: memory, NanoCpus: Math.round(cpus * 1e9), PidsLimit: processes };
}

/**
 * Body of `POST /containers/create`: a container without network, rights, mounts, disk or logs, in which the runner is
 * PID 1. Nothing about a run stands in it: it is made before there is one, and whoever may use the engine can read it.
 */
export function containerSpec({ imageId, engineRuntime, limits, seccompProfile, labels }: ContainerWish): object {
  return {
    Image: imageId,
    Entrypoint: [node.to, ...runnerNodeFlags, runner],
    Cmd: [],
    Env: [],
    User: `${user}:${user}`,
    WorkingDir: '/',
    Hostname: 'sandbox',
    // An image cannot bring a health check of its own: it would be a second process that nobody asked for.
    Healthcheck: { Test: ['NONE'] },
    // A terminal would mix both outputs and mangle bytes.
    Tty: false,
    // With StdinOnce the end of our connection is the end of its stdin, and that is the end of the runner.
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    StopSignal: 'SIGKILL',
    StopTimeout: 1,
    Labels: {
      [containerLabels.app]: 'oauth3',
      [containerLabels.install]: labels.installId,
      [containerLabels.sandbox]: labels.sandboxId,
      [containerLabels.created]: labels.createdAt,
    },
    HostConfig: {
      Runtime: engineRuntime,
      NetworkMode: 'none',
      Sysctls: socketBuffers,
      PublishAllPorts: false,
      Privileged: false,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true', `seccomp=${seccompProfile}`],
      ReadonlyRootfs: true,
      // uid and gid because runc 1.1 takes the mode from the image's folder when only a mode is given.
      Tmpfs: {
        '/tmp': `rw,noexec,nosuid,nodev,size=${tmpMb}m,nr_inodes=8192,uid=${user},gid=${user},mode=0700`,
      },
      ...limitFields(limits),
      Ulimits: [
        { Name: 'nofile', Soft: openFiles, Hard: openFiles },
        { Name: 'core', Soft: 0, Hard: 0 },
        { Name: 'fsize', Soft: tmpMb * mib, Hard: tmpMb * mib },
      ],
      ShmSize: 4 * mib,
      IpcMode: 'private',
      CgroupnsMode: 'private',
      OomScoreAdj: 500,
      // Otherwise the engine would write the tunnel's bytes to the disk.
      LogConfig: { Type: 'none', Config: {} },
      // The runner is PID 1 itself; the engine's own init would stand between.
      Init: false,
      RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
      // Its end is looked at before it is removed.
      AutoRemove: false,
    },
  };
}

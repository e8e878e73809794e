import { describe, expect, it } from 'vitest';
import { containerSpec, limitFields } from './containerSpec.ts';

const spec = containerSpec({
  imageId: 'sha256:0123',
  engineRuntime: 'runc',
  limits: { memoryMb: 256, cpus: 0.5 },
  seccompProfile: '{"defaultAction":"SCMP_ACT_ERRNO"}',
  labels: { installId: 'install', sandboxId: 'sandbox', createdAt: '2026-01-05T12:00:00.000Z' },
});

describe('the body that makes a sandbox container', () => {
  it('is exactly this, and nothing that a request could name is in it', () => {
    expect(spec).toEqual({
      Image: 'sha256:0123',
      Entrypoint: [
        '/usr/local/bin/node',
        '--disable-sigusr1',
        '--disable-wasm-trap-handler',
        '--v8-pool-size=1',
        '--max-old-space-size=64',
        '/app/runner.mjs',
      ],
      Cmd: [],
      Env: [],
      User: '65532:65532',
      WorkingDir: '/',
      Hostname: 'sandbox',
      Healthcheck: { Test: ['NONE'] },
      Tty: false,
      OpenStdin: true,
      StdinOnce: true,
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      StopSignal: 'SIGKILL',
      StopTimeout: 1,
      Labels: {
        'oauth3.app': 'oauth3',
        'oauth3.install': 'install',
        'oauth3.sandbox': 'sandbox',
        'oauth3.created': '2026-01-05T12:00:00.000Z',
      },
      HostConfig: {
        Runtime: 'runc',
        NetworkMode: 'none',
        Sysctls: { 'net.ipv4.tcp_rmem': '4096 32768 65536', 'net.ipv4.tcp_wmem': '4096 16384 65536' },
        PublishAllPorts: false,
        Privileged: false,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges:true', 'seccomp={"defaultAction":"SCMP_ACT_ERRNO"}'],
        ReadonlyRootfs: true,
        Tmpfs: { '/tmp': 'rw,noexec,nosuid,nodev,size=64m,nr_inodes=8192,uid=65532,gid=65532,mode=0700' },
        Memory: 268_435_456,
        MemorySwap: 268_435_456,
        NanoCpus: 500_000_000,
        PidsLimit: 128,
        Ulimits: [
          { Name: 'nofile', Soft: 512, Hard: 512 },
          { Name: 'core', Soft: 0, Hard: 0 },
          { Name: 'fsize', Soft: 67_108_864, Hard: 67_108_864 },
        ],
        ShmSize: 4_194_304,
        IpcMode: 'private',
        CgroupnsMode: 'private',
        OomScoreAdj: 500,
        LogConfig: { Type: 'none', Config: {} },
        Init: false,
        RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
        AutoRemove: false,
      },
    });
  });

  it('leaves masked and read-only paths to the engine, and mounts, devices and namespaces unset', () => {
    const text = JSON.stringify(spec);
    for (const name of [
      'MaskedPaths',
      'ReadonlyPaths',
      'Binds',
      'Mounts',
      'Devices',
      'DeviceRequests',
      'VolumesFrom',
    ]) {
      expect(text).not.toContain(`"${name}"`);
    }
    for (const name of ['PidMode', 'UTSMode', 'UsernsMode', 'CapAdd', 'OomKillDisable', 'Links', 'ExtraHosts', 'Dns']) {
      expect(text).not.toContain(`"${name}"`);
    }
  });

  it('changes limits by the same fields that it sets them with', () => {
    expect(limitFields({ memoryMb: 64, cpus: 0.1 })).toEqual({
      Memory: 67_108_864,
      MemorySwap: 67_108_864,
      NanoCpus: 100_000_000,
      PidsLimit: 128,
    });
  });
});

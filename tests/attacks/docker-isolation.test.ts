import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { containerSpec } from '../../main/backends/docker/containerSpec.ts';
import { engineWarnings } from '../../main/backends/docker/preflight.ts';
import { seccompProfile } from '../../main/backends/docker/seccompProfile.ts';
import { runProgram } from '../../main/backends/testing.ts';
import { dockerRoom } from '../support/dockerRoom.ts';

const room = dockerRoom(['python']);

const eperm = 1;
const enosys = 38;
const isX64 = process.arch === 'x64';

/** Makes system calls and gives their error numbers, 0 for those that worked. Numbers are those of x86-64. */
const probeCalls = (calls: Readonly<Record<string, readonly (number | string)[]>>) => `
import ctypes, json
libc = ctypes.CDLL(None, use_errno=True)
calls = json.loads(${JSON.stringify(JSON.stringify(calls))})
result = {}
for name, args in calls.items():
    ctypes.set_errno(0)
    answer = libc.syscall(*[ctypes.c_long(arg) if isinstance(arg, int) else ctypes.c_char_p(arg.encode()) for arg in args])
    result[name] = ctypes.get_errno() if answer == -1 else 0
print(json.dumps(result))
`;

/** Tries each and tells by name what became of it: an error number, or what the expression gives. */
const attempts = (tries: Readonly<Record<string, string>>) => `
import json, os, socket, mmap
def tried(action):
    try:
        return action()
    except OSError as error:
        return error.errno
print(json.dumps({${Object.entries(tries)
  .map(([name, expression]) => `${JSON.stringify(name)}: tried(lambda: ${expression})`)
  .join(', ')}}))
`;

describe('H: system calls', () => {
  it.runIf(isX64)('H131 H132 H134 no socket but Unix, IPv4 and IPv6 can be made', async () => {
    const socket = 41;
    const answers = await room.probe(
      probeCalls({
        unix: [socket, 1, 1, 0],
        ipv4: [socket, 2, 1, 0],
        ipv6: [socket, 10, 1, 0],
        vsock: [socket, 40, 1, 0],
        alg: [socket, 38, 5, 0],
        netlink: [socket, 16, 3, 0],
        packet: [socket, 17, 3, 0],
        rawIcmp: [socket, 2, 3, 1],
        bluetooth: [socket, 31, 3, 0],
        rds: [socket, 21, 5, 0],
        can: [socket, 29, 3, 1],
        smc: [socket, 43, 1, 0],
        xdp: [socket, 44, 3, 0],
        unknown: [socket, 60, 1, 0],
        pair: [53, 2, 1, 0, 0],
      }),
    );
    expect(answers).toEqual({
      unix: 0,
      ipv4: 0,
      ipv6: 0,
      vsock: eperm,
      alg: eperm,
      netlink: eperm,
      packet: eperm,
      rawIcmp: eperm,
      bluetooth: eperm,
      rds: eperm,
      can: eperm,
      smc: eperm,
      xdp: eperm,
      unknown: eperm,
      pair: eperm,
    });
  });

  it.runIf(isX64)('H131 a call in 32 bits ends the process instead of passing rules made for 64', async () => {
    const { exit, stdout } = await room.python(`
import ctypes, mmap
# mov eax, 20 (getpid); int 0x80; ret
code = bytes([0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3])
memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
memory.write(code)
print('before', flush=True)
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(memory)))()
print('after', flush=True)
`);
    expect(exit).toEqual({ kind: 'signalled', signal: 'SIGSYS' });
    expect(stdout).toBe('before\n');
  });

  it.runIf(isX64)('H133 nothing that traces, mounts, makes namespaces or loads into the kernel', async () => {
    const newUser = 0x1000_0000;
    const answers = await room.probe(
      probeCalls({
        ptrace: [101, 0, 0, 0, 0],
        process_vm_readv: [310, 1, 0, 0, 0, 0, 0],
        process_vm_writev: [311, 1, 0, 0, 0, 0, 0],
        kcmp: [312, 1, 1, 0, 0, 0],
        pidfd_getfd: [438, 0, 0, 0],
        keyctl: [250, 0, -3, 0],
        add_key: [248, 'user', 'x', 'y', 1, -3],
        request_key: [249, 'user', 'x', 'y', -3],
        bpf: [321, 0, 0, 0],
        perf_event_open: [298, 0, 0, 0, 0, 0],
        unshareUser: [272, newUser],
        cloneUser: [56, newUser, 0, 0, 0, 0],
        setns: [308, 0, 0],
        mount: [165, 'none', '/tmp', 'tmpfs', 0, 0],
        fsopen: [430, 'tmpfs', 0],
        open_tree: [428, -100, '/', 0],
        chroot: [161, '/tmp'],
        pivot_root: [155, '/tmp', '/tmp'],
        open_by_handle_at: [304, 0, 0, 0],
        init_module: [175, 0, 0, ''],
        modify_ldt: [154, 0, 0, 0],
        shmget: [29, 0, 4096, 0o1600],
        mq_open: [240, 'x', 0o102, 0o600, 0],
        splice: [275, 0, 0, 0, 0, 0, 0],
        io_setup: [206, 1, 0],
        quotactl: [179, 0, '', 0, 0],
        setuid: [105, 0],
        setgroups: [116, 0, 0],
        capset: [126, 0, 0],
        mknodDevice: [133, '/tmp/device', 0o020600, 0x0103],
        clone3: [435, 0, 0],
        io_uring_setup: [425, 1, 0],
        userfaultfd: [323, 0],
        memfd_secret: [447, 0],
      }),
    );
    const denied = z.record(z.string(), z.number()).parse(answers);
    for (const name of ['clone3', 'io_uring_setup', 'userfaultfd', 'memfd_secret']) {
      expect([name, denied[name]]).toEqual([name, enosys]);
      delete denied[name];
    }
    for (const [name, code] of Object.entries(denied)) expect([name, code]).toEqual([name, eperm]);
  });

  it('H133 what programs need is there: threads, processes, FIFOs, memory files', async () => {
    const { exit, stderr } = await room.python(`
import os, subprocess, sys, threading, multiprocessing
thread = threading.Thread(target=lambda: None); thread.start(); thread.join()
assert subprocess.run([sys.executable, '-c', 'print(1)'], capture_output=True).stdout == b'1\\n'
os.mkfifo('/tmp/fifo'); os.close(os.memfd_create('x'))
if __name__ == '__main__':
    with multiprocessing.get_context('fork').Pool(2) as pool: assert pool.map(abs, [-1, -2]) == [1, 2]
`);
    expect({ exit, stderr }).toEqual({ exit: { kind: 'exited', exitCode: 0 }, stderr: '' });
  });
});

describe('H: rights, files and network', () => {
  it('H135 has no capabilities and cannot gain any; the filter is on', async () => {
    const status = await room.python("print(open('/proc/self/status').read())");
    const field = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status.stdout)?.[1] ?? '';
    for (const name of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
      expect([name, Number.parseInt(field(name), 16)]).toEqual([name, 0]);
    }
    expect(field('NoNewPrivs')).toBe('1');
    expect(field('Seccomp')).toBe('2');
    expect(field('Uid').split('\t')).toEqual(['65532', '65532', '65532', '65532']);
    expect(field('Gid').split('\t')).toEqual(['65532', '65532', '65532', '65532']);
    expect(field('Groups').trim()).toBe('65532');
  });

  it('H135 there is no program in the image that would run as somebody else', async () => {
    const found = await room.probe(`
import json, os, stat
found = []
for folder, _, files in os.walk('/'):
    if folder.startswith(('/proc', '/sys')): continue
    for name in files:
        try: mode = os.lstat(os.path.join(folder, name)).st_mode
        except OSError: continue
        if mode & (stat.S_ISUID | stat.S_ISGID): found.append(os.path.join(folder, name))
print(json.dumps(found))`);
    expect(found).toEqual([]);
  });

  it('H136 H145 the engine has exactly what we asked for: no mounts, devices or rights, an image by its id', async () => {
    const [{ id = '' } = {}] = await room
      .engine()
      .until(room.house().installId, (containers) => containers.some(({ state }) => state === 'running'));
    const facts = z
      .looseObject({
        Image: z.string(),
        LogPath: z.string(),
        Mounts: z.array(z.unknown()),
        Config: z.looseObject({ Env: z.array(z.string()), Cmd: z.unknown(), Tty: z.boolean(), StdinOnce: z.boolean() }),
        HostConfig: z.record(z.string(), z.unknown()),
      })
      .parse(await room.engine().inspect(id));
    const spec = z.looseObject({ HostConfig: z.record(z.string(), z.unknown()) }).parse(
      containerSpec({
        imageId: facts.Image,
        engineRuntime: 'runc',
        limits: { memoryMb: 256, cpus: 0.5 },
        seccompProfile,
        labels: { installId: '', sandboxId: '', createdAt: '' },
      }),
    );
    expect(facts.HostConfig).toMatchObject(spec.HostConfig);
    expect(facts.Image).toBe(room.backend().carrier('python').image);
    expect(facts.Mounts).toEqual([]);
    expect(facts.LogPath).toBe('');
    expect(facts.Config).toMatchObject({ Tty: false, StdinOnce: true });
    expect(facts.Config.Env.map((entry) => entry.split('=')[0])).toEqual(['PATH']);
    const { HostConfig: host } = facts;
    for (const name of [
      'Binds',
      'Devices',
      'DeviceRequests',
      'VolumesFrom',
      'CapAdd',
      'GroupAdd',
      'Links',
      'ExtraHosts',
    ]) {
      expect([name, host[name] ?? []]).toEqual([name, []]);
    }
    for (const name of ['PidMode', 'UTSMode', 'UsernsMode']) expect([name, host[name]]).toEqual([name, '']);
    // Left to the engine: an empty list would unmask.
    expect(host.MaskedPaths).toEqual(expect.arrayContaining(['/proc/kcore']));
    expect(host.ReadonlyPaths).toEqual(expect.arrayContaining(['/proc/sys']));
  });

  it('H137 A25 reaches no engine, no gateway and no address at all', async () => {
    const connect = (host: string, port: number) => `socket.create_connection((${JSON.stringify(host)}, ${port}), 2)`;
    const answers = await room.probe(
      attempts({
        socketFile: "os.stat('/var/run/docker.sock')",
        desktop: connect('192.168.65.7', 2375),
        bridge: connect('172.17.0.1', 2375),
        metadata: connect('169.254.169.254', 80),
        outside: connect('192.0.2.1', 443),
        interfaces: "[line.split(':')[0].strip() for line in open('/proc/net/dev').read().splitlines()[2:]]",
      }),
    );
    const unreachable = 101;
    expect(answers).toEqual({
      socketFile: 2,
      desktop: unreachable,
      bridge: unreachable,
      metadata: unreachable,
      outside: unreachable,
      interfaces: expect.arrayContaining(['lo']),
    });
    const names = z.looseObject({ interfaces: z.array(z.string()) }).parse(answers).interfaces;
    expect(names.filter((name) => /^(eth|veth|en|wl)/.test(name))).toEqual([]);
  });

  it('D75 has no resolver', async () => {
    const { exit } = await room.python("import socket; socket.getaddrinfo('example.com', 443)");
    expect(exit).toEqual({ kind: 'exited', exitCode: 1 });
  });

  it('H138 an old engine, runc or Docker Desktop is told to the owner', () => {
    const facts = {
      version: '29.4.2',
      runcVersion: '1.3.3',
      cgroup: '2',
      seccomp: true,
      limits: { memory: true, swap: true, cpu: true, processes: true },
      runtimes: {},
      memTotal: 1,
      osType: 'linux',
      desktop: null,
    } as const;
    expect(engineWarnings(facts)).toEqual([]);
    for (const runcVersion of ['1.1.5+ds1', '1.2.7', '1.3.2', '1.4.0-rc.2']) {
      expect(engineWarnings({ ...facts, runcVersion }).join(' ')).toContain(runcVersion);
    }
    expect(engineWarnings({ ...facts, version: '28.2.2' }).join(' ')).toContain('CVE-2026-31431');
    expect(engineWarnings({ ...facts, desktop: '4.44.2' }).join(' ')).toContain('CVE-2025-9074');
  });

  it('H139 H140 writes nothing but its own folders, and reads nothing of the machine', async () => {
    const open = (file: string, mode: string) => `open(${JSON.stringify(file)}, ${JSON.stringify(mode)}).read(1)`;
    const answers = await room.probe(
      attempts({
        hosts: open('/etc/hosts', 'a'),
        resolver: open('/etc/resolv.conf', 'a'),
        root: open('/file', 'w'),
        app: open('/app/file', 'w'),
        home: open('/home/file', 'w'),
        corePattern: open('/proc/sys/kernel/core_pattern', 'w'),
        sysrq: open('/proc/sysrq-trigger', 'w'),
        cgroups: open('/sys/fs/cgroup/file', 'w'),
        release: open('/sys/fs/cgroup/release_agent', 'w'),
        limit: open('/sys/fs/cgroup/memory/memory.limit_in_bytes', 'w'),
        rootOfFirst: "os.listdir('/proc/1/root')",
        memoryOfFirst: open('/proc/1/mem', 'rb'),
        environmentOfFirst: open('/proc/1/environ', 'rb'),
        streamOfFirst: open('/proc/1/fd/1', 'wb'),
        mounts: "sorted({line.split()[1] for line in open('/proc/mounts') if line.split()[3].split(',')[0] == 'rw'})",
        kcore: "os.stat('/proc/kcore').st_size",
      }),
    );
    const { mounts, kcore, ...refused } = z
      .looseObject({ mounts: z.array(z.string()), kcore: z.number() })
      .parse(answers);
    for (const [name, code] of Object.entries(refused))
      expect([name, [1, 2, 13, 30]]).toEqual([name, expect.arrayContaining([code])]);
    // A device that reads as empty stands over it, where the kernel has it at all.
    expect([0, 2]).toContain(kcore);
    // The folder above the first version's controllers is root's; the controllers themselves are read-only.
    const own = ['/tmp', '/dev', '/dev/shm', '/dev/pts', '/dev/mqueue', '/sys/fs/cgroup'];
    const isMasked = (place: string): boolean => /^\/proc(\/|$)/.test(place);
    expect(mounts.filter((place) => !own.includes(place) && !isMasked(place))).toEqual([]);
  });

  it('H142 starts no program that it wrote (which is no wall: an interpreter reads it all the same)', async () => {
    const answers = await room.probe(`
import json, os, shutil, subprocess, sys
shutil.copy(os.path.realpath(sys.executable), '/tmp/program'); os.chmod('/tmp/program', 0o755)
try: subprocess.run(['/tmp/program']); code = 0
except OSError as error: code = error.errno
print(json.dumps(code))`);
    expect(answers).toBe(13);
  });

  it('H145 an image that is not there is not pulled: the run ends with a reason', async () => {
    const backend = room.house().backendOf({ id: `sha256:${'0'.repeat(64)}`, recipe: 'recipe:test' });
    const { exit } = await runProgram(backend, 'python', 'print(1)');
    expect(exit).toEqual({ kind: 'broken', message: expect.stringMatching(/No such image/i) });
    await backend.stop();
  });

  it('H147 H148 H149 two sandboxes at once share nothing: files, memory, names of sockets', async () => {
    const bothCode = `
import os, socket, sys, time
listener = socket.socket(socket.AF_UNIX); listener.bind('\\0shared'); listener.listen()
tcp = socket.create_server(('127.0.0.1', 4000))
for place in ['/tmp/mine', '/dev/shm/mine']:
    assert not os.path.exists(place), place
    open(place, 'w').close()
time.sleep(1)
print(sorted(os.listdir('/tmp')), sorted(os.listdir('/dev/shm')))`;
    const runs = await Promise.all([room.python(bothCode), room.python(bothCode)]);
    for (const { exit, stdout, stderr } of runs) {
      expect({ exit, stderr }).toEqual({ exit: { kind: 'exited', exitCode: 0 }, stderr: '' });
      expect(stdout).toContain("['mine']");
    }
  });
});

describe('H: images', () => {
  it('H146 entry point, health check, volumes and working folder of an image are overridden', async () => {
    const { engine, installId } = room.house();
    const { api } = engine;
    if (api === null) throw new Error('no engine');
    const base = room.backend().carrier('python').image;
    const created = z.looseObject({ Id: z.string() });
    const from = await api.json(
      {
        method: 'POST',
        path: '/containers/create',
        json: { Image: base, Cmd: ['none'], Labels: { 'oauth3.test': installId } },
      },
      created,
    );
    const image = await api.json(
      {
        method: 'POST',
        path: '/commit',
        query: { container: from.Id },
        json: {
          Entrypoint: ['/nothing'],
          Cmd: ['nothing'],
          WorkingDir: '/proc/self/fd/8',
          Volumes: { '/volume': {} },
          Healthcheck: { Test: ['CMD', '/usr/bin/python3', '-c', "open('/tmp/checked', 'w')"], Interval: 50_000_000 },
          User: 'root',
          Labels: { 'oauth3.test': installId },
        },
      },
      created,
    );
    const volumes = async (): Promise<number> => {
      const answer = await api.json(
        { method: 'GET', path: '/volumes' },
        z.looseObject({ Volumes: z.array(z.unknown()).nullable() }),
      );
      return answer.Volumes?.length ?? 0;
    };
    const before = await volumes();
    const backend = room.house().backendOf({ id: image.Id, recipe: 'recipe:test' });
    try {
      const { exit, stdout } = await runProgram(
        backend,
        'python',
        "import os, time; time.sleep(1); print(os.getuid(), os.path.exists('/volume'), os.path.exists('/tmp/checked'))",
      );
      expect(exit).toEqual({ kind: 'exited', exitCode: 0 });
      expect(stdout).toBe('65532 True False\n');
    } finally {
      await backend.stop();
      await api.send({ method: 'DELETE', path: `/containers/${from.Id}`, query: { force: '1', v: '1' } });
      await api.send({ method: 'DELETE', path: `/images/${image.Id}`, query: { force: '1' } });
    }
    expect(await volumes()).toBe(before);
  });
});

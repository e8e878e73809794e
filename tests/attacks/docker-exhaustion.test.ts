import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { anyTunnel } from '../../main/runs/testDoor.ts';
import { dockerRoom } from '../support/dockerRoom.ts';

const room = dockerRoom(['python', 'node'], 'container', 2);
const mib = 1024 * 1024;

/** A limit is only shown when the house still works after it was met. */
async function stillWorks(): Promise<void> {
  expect((await room.python('print(1)')).stdout).toBe('1\n');
}

describe('I: using everything up', () => {
  it('I151 a fork bomb cannot fork, and is gone', async () => {
    const { exit, stdout } = await room.python(`
import os, time
made = 0
try:
    while True:
        if os.fork() == 0: time.sleep(60)
        made += 1
except BlockingIOError:
    print(made)`);
    expect(exit).toEqual({ kind: 'exited', exitCode: 0 });
    expect(Number(stdout)).toBeGreaterThan(50);
    expect(Number(stdout)).toBeLessThan(128);
    await stillWorks();
  });

  it('I152 a program that takes all memory is ended for it, and the run says so', async () => {
    const { exit } = await room.python('piece = bytearray(2_000_000_000)', { memoryMb: 128 });
    expect(exit).toEqual({ kind: 'out_of_memory' });
    const { exit: child } = await room.python(
      "import subprocess, sys; subprocess.run([sys.executable, '-c', 'bytearray(2_000_000_000)'])",
    );
    expect(child).toEqual({ kind: 'out_of_memory' });
    await stillWorks();
  });

  it('I153 what fills /tmp or /dev/shm meets its size', async () => {
    const sizes = await room.probe(`
import json, os
def fill(place):
    total = 0
    for number in range(100):
        try:
            with open(f'{place}/{number}', 'wb', buffering=0) as file:
                while True: total += file.write(bytes(1 << 20))
        except OSError as error:
            if error.errno == 28: break
    return total
print(json.dumps([fill('/dev/shm'), fill('/tmp')]))`);
    const [shared = 0, temporary = 0] = z.array(z.number()).parse(sizes);
    expect(shared).toBeLessThanOrEqual(4 * mib);
    expect(temporary).toBeLessThanOrEqual(64 * mib);
    expect(temporary).toBeGreaterThan(56 * mib);
  });

  it('I154 files without content meet a limit as well', async () => {
    const count = await room.probe(`
import json
count = 0
try:
    while True:
        open(f'/tmp/{count}', 'w').close(); count += 1
except OSError: pass
print(json.dumps(count))`);
    expect(count).toBeLessThan(8192);
    expect(count).toBeGreaterThan(7000);
  });

  it('I155 I157 a flood of output is passed on as it comes, is on no disk, and ends when the host has had enough', async () => {
    const before = process.memoryUsage().rss;
    const ending = new AbortController();
    let bytes = 0;
    const backend = room.backend();
    const most = 64 * mib;
    const exit = await backend.run(
      {
        runId: 'run_test',
        runtime: 'python',
        code: new TextEncoder().encode("import os\nline = b'x' * (1 << 20)\nwhile True: os.write(1, line)"),
        env: {},
        limits: { timeoutMs: 60_000, memoryMb: 256, cpus: 0.5 },
      },
      {
        stdout: (chunk) => {
          bytes += chunk.byteLength;
          if (bytes > most) ending.abort();
        },
        stderr: () => {},
        egress: { ...anyTunnel, request: () => Promise.reject(new Error('none')) },
        signal: ending.signal,
      },
    );
    expect(exit).toEqual({ kind: 'killed' });
    expect(bytes).toBeLessThan(most + 8 * mib);
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * mib);
    await stillWorks();
  });

  it('I157 ten million short lines are so many bytes, whole', async () => {
    const { exit, outputBytes } = await room.python(
      "import sys\nfor _ in range(100): sys.stdout.write('x\\n' * 100_000)",
    );
    expect(exit).toEqual({ kind: 'exited', exitCode: 0 });
    expect(outputBytes).toBe(20_000_000);
  });

  it('I158 open files meet their limit, and core files are off', async () => {
    const answers = await room.probe(`
import json, os, resource, socket
held = []
try:
    while True: held.append(socket.socket())
except OSError as error: code = error.errno
count = len(held)
for each in held: each.close()
print(json.dumps([count, code, resource.getrlimit(resource.RLIMIT_CORE), resource.getrlimit(resource.RLIMIT_FSIZE)]))`);
    const emfile = 24;
    expect(answers).toEqual([expect.any(Number), emfile, [0, 0], [64 * mib, 64 * mib]]);
    expect(z.tuple([z.number()]).rest(z.unknown()).parse(answers)[0]).toBeLessThan(512);
  });

  it('I158 what nobody reads out of sockets stays small in the memory of the kernel', async () => {
    // cgroup v1 does not count it, so only the size and the kind of sockets bound it.
    const answer = await room.probe(
      `
import ctypes, json, os, platform, socket, time
libc = ctypes.CDLL(None)
number = 54 if platform.machine() == 'x86_64' else 208
size = ctypes.c_int(1 << 24)
def used():
    lines = [line.split() for line in open('/proc/net/sockstat')]
    return sum(int(words[words.index('mem') + 1]) for words in lines if words[0] in ('TCP:', 'UDP:')) * 4096
def widen(each):
    # The kernel looks at the lower half of these numbers only, so the upper one must be no way around.
    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        for upper in (0, 1 << 32):
            for args in ((socket.SOL_SOCKET | upper, option), (socket.SOL_SOCKET, option | upper)):
                if libc.syscall(number, each.fileno(), *map(ctypes.c_long, args), ctypes.byref(size), 4) == 0: return True
    return False
def fill():
    server = socket.create_server(('127.0.0.1', 0), backlog=512)
    held, wide = [], False
    try:
        while True:
            client = socket.create_connection(server.getsockname())
            held += [client, server.accept()[0]]
            for each in held[-2:]:
                wide = widen(each) or wide
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                each.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                each.setblocking(False)
            # Both ways, and slowly enough for buffers to grow as they may.
            for _ in range(40):
                for each in held[-2:]:
                    try: each.send(bytes(1 << 16))
                    except BlockingIOError: pass
                time.sleep(0.0002)
    except OSError: pass
    return held, wide
def datagrams():
    try: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
    except PermissionError: return False
    return True
before = used()
ends = []
for _ in range(4):
    here, there = os.pipe()
    if os.fork() == 0:
        held, wide = fill()
        os.write(there, json.dumps([len(held), wide]).encode())
        time.sleep(60)
    ends.append(here)
told = [json.loads(os.read(here, 1000)) for here in ends]
print(json.dumps({'held': min(count for count, _ in told), 'wide': any(wide for _, wide in told),
    'datagrams': datagrams(), 'bytes': used() - before}))`,
      { cpus: 1 },
    );
    expect(answer).toEqual({ held: expect.any(Number), wide: false, datagrams: false, bytes: expect.any(Number) });
    const { held, bytes } = z.looseObject({ held: z.number(), bytes: z.number() }).parse(answer);
    expect(held).toBeGreaterThan(400);
    // The figure is of the whole machine; unbounded it is above a gigabyte.
    expect(bytes).toBeLessThan(4 * 512 * 128 * 1024);
    await stillWorks();
  });

  it('I159 busy threads get the share of the processor that was approved', async () => {
    const used = await room.probe(
      `
import json, os, threading, time
def spin():
    end = time.monotonic() + 2
    while time.monotonic() < end: pass
for _ in range(3):
    if os.fork() == 0: spin(); os._exit(0)
for _ in range(3): os.wait()
times = os.times()
print(json.dumps(times.children_user + times.children_system))`,
      { cpus: 0.2 },
    );
    // 2 s at 0.2 of a processor; the periods of the kernel's clock blur it.
    expect(used).toBeLessThan(0.9);
  });

  it('I159 the limits of a job that wants other ones than those of a warm sandbox are in force', async () => {
    const limits = await room.probe(
      `
import json
def first(*files):
    for file in files:
        try: return open('/sys/fs/cgroup/' + file).read().split()[0]
        except OSError: pass
print(json.dumps([
    first('memory/memory.limit_in_bytes', 'memory.max'),
    first('memory/memory.memsw.limit_in_bytes', 'memory.swap.max'),
    first('cpu/cpu.cfs_quota_us', 'cpu.max'),
    first('pids/pids.max', 'pids.max'),
]))`,
      { memoryMb: 777, cpus: 1.5 },
    );
    const memory = String(777 * mib);
    expect(limits).toEqual([memory, expect.stringMatching(new RegExp(`^(${memory}|0)$`)), '150000', '128']);
  });

  it('I160 I161 what ignores signals, forks away or sleeps for ever is gone at the deadline', async () => {
    const started = performance.now();
    const { exit } = await room.python(
      `
import os, signal, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(number, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: time.sleep(600)
    os._exit(0)
time.sleep(600)`,
      { timeoutMs: 700 },
    );
    expect(exit).toEqual({ kind: 'timed_out' });
    expect(performance.now() - started).toBeLessThan(6000);
  });

  it('I161 a runner that is stopped does not outlive the deadline: the host ends it', async () => {
    // Nothing in the container runs any more, so nothing in it can keep the time.
    const running = room.run('node', "console.log('here'); setInterval(() => {}, 1000);", { timeoutMs: 1500 });
    const { engine, house } = { engine: room.engine(), house: room.house() };
    const paused = await engine.until(house.installId, (containers) => containers.length > 0);
    for (const { id, state } of paused) {
      if (state !== 'running') continue;
      await house.engine.api?.send({ method: 'POST', path: `/containers/${id}/pause` }).catch(() => {});
    }
    expect((await running).exit).toEqual({ kind: 'timed_out' });
  });
});

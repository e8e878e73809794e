import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Container } from '../../main/backends/docker/container.ts';
import { containerSpec } from '../../main/backends/docker/containerSpec.ts';
import { Reaper } from '../../main/backends/docker/reaper.ts';
import { seccompProfile } from '../../main/backends/docker/seccompProfile.ts';
import { runProgram } from '../../main/backends/testing.ts';
import type { Clock } from '../../main/core/clock.ts';
import { silentLog } from '../../main/core/log.ts';
import { systemClock } from '../../main/core/systemClock.ts';
import { anyTunnel } from '../../main/runs/testDoor.ts';
import { type DockerHouse, openDockerHouse, someInstallId, testEndpoint } from '../support/dockerHouse.ts';
import { dockerRoom } from '../support/dockerRoom.ts';

const room = dockerRoom(['python', 'node']);
const sleeps = "import time; print('here', flush=True); time.sleep(600)";

/** Starts a run and resolves with its container when the code has printed something. */
async function started(
  code = sleeps,
  options: Readonly<{ timeoutMs?: number; clock?: Clock; house?: DockerHouse }> = {},
) {
  const installId = someInstallId();
  const { clock = systemClock, house = room.house() } = options;
  const backend = house.backend({ installId, poolSize: 0, clock });
  let said = () => {};
  const here = new Promise<void>((resolve) => {
    said = resolve;
  });
  const exit = backend.run(
    {
      runId: 'run_test',
      runtime: 'python',
      code: new TextEncoder().encode(code),
      env: {},
      limits: { timeoutMs: options.timeoutMs ?? 60_000, memoryMb: 256, cpus: 0.5 },
    },
    {
      stdout: () => said(),
      stderr: () => {},
      egress: { ...anyTunnel, request: () => Promise.reject(new Error('none')) },
      signal: new AbortController().signal,
    },
  );
  await here;
  const [{ id = '' } = {}] = await room.engine().containersOf(installId);
  return { backend, installId, exit, id };
}

function api() {
  const found = room.house().engine.api;
  if (found === null) throw new Error('no engine');
  return found;
}

/** A container of an installation that no process looks after. */
async function stray(installId: string): Promise<Container> {
  const { image } = room.backend().carrier('python');
  return Container.create(
    api(),
    containerSpec({
      imageId: image,
      engineRuntime: 'runc',
      limits: { memoryMb: 128, cpus: 0.5 },
      seccompProfile,
      labels: { installId, sandboxId: 'a'.repeat(32), createdAt: '2026-01-05T12:00:00.000Z' },
    }),
  );
}

describe('J: the runner as one unit with its code', () => {
  it('J166 J167 J168 the port of the proxy is taken, and nothing else listens', async () => {
    const answers = await room.probe(`
import json, socket
def bound(port, reuse):
    each = socket.socket()
    if reuse: each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try: each.bind(('127.0.0.1', port)); return 0
    except OSError as error: return error.errno
listening = [line.split()[1] for line in open('/proc/net/tcp').read().splitlines()[1:] if line.split()[3] == '0A']
names = [line.split()[7] for line in open('/proc/net/unix').read().splitlines()[1:] if len(line.split()) > 7]
print(json.dumps([bound(3128, False), bound(3128, True), listening, names]))`);
    const inUse = 98;
    expect(answers).toEqual([inUse, inUse, ['0100007F:0C38'], []]);
  });

  it('J169 the runner cannot be ended, stopped or looked into by its code', async () => {
    const answers = await room.probe(`
import json, os, signal, socket
for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT, signal.SIGSTOP, signal.SIGKILL): os.kill(1, number)
try: socket.create_connection(('127.0.0.1', 9229), 1); inspector = 'open'
except OSError as error: inspector = error.errno
print(json.dumps(inspector))`);
    const refused = 111;
    expect(answers).toBe(refused);
  });

  it('J172 the container has no terminal', async () => {
    expect(await room.probe('import json, os; print(json.dumps([os.isatty(0), os.isatty(1), os.isatty(2)]))')).toEqual([
      false,
      false,
      false,
    ]);
  });

  it('J174 64 MiB through the tunnel come out as they went in', async () => {
    const { outputBytes, exit } = await room.python(
      'import sys\nfor _ in range(64): sys.stdout.buffer.write(bytes(range(256)) * 4096)',
      { cpus: 1 },
    );
    expect(exit).toEqual({ kind: 'exited', exitCode: 0 });
    expect(outputBytes).toBe(64 * 1024 * 1024);
  });

  it('J175 a container that is ended from outside ends its run with a reason, and is removed', async () => {
    const { backend, exit, id, installId } = await started();
    await Container.withId(api(), id).kill();
    expect(await exit).toEqual({ kind: 'broken', message: expect.stringContaining('ended by itself') });
    await backend.stop();
    expect(await room.engine().containersOf(installId)).toEqual([]);
  });

  it('J175 I152 a runner that dies for memory is told as that', async () => {
    const { backend, exit, id } = await started(
      `
import os, time
print('here', flush=True)
time.sleep(1)
held = []
while True: held.append(os.urandom(1 << 20))`,
    );
    expect(id).not.toBe('');
    expect(await exit).toEqual({ kind: 'out_of_memory' });
    await backend.stop();
  });
});

describe('K: lifecycle and crash', () => {
  it.each([
    ['sleeps', sleeps],
    ['floods stdout', "print('here', flush=True)\nwhile True: print('x' * 10_000)"],
    [
      'ignores signals and has daemons',
      `
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _ in range(10):
    if os.fork() == 0: os.setsid(); time.sleep(600)
print('here', flush=True); time.sleep(600)`,
    ],
  ])('K178 when the app is killed, code that %s is gone with its container', async (_what, code) => {
    const installId = someInstallId();
    const orphan = spawn(
      process.execPath,
      [fileURLToPath(new URL('../support/orphan.ts', import.meta.url)), installId, code],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    try {
      await once(orphan.stdout, 'data');
      expect((await room.engine().containersOf(installId)).length).toBeGreaterThan(0);
    } finally {
      orphan.kill('SIGKILL');
      await once(orphan, 'exit');
    }
    try {
      const ended = await room
        .engine()
        .until(installId, (containers) => containers.every(({ state }) => state !== 'running'), 2_000);
      // None of them can run again by itself; the next start removes what is left of them.
      expect(ended.filter(({ state }) => !['exited', 'created', 'dead'].includes(state))).toEqual([]);
      const reaper = new Reaper({ engine: room.house().engine, installId, log: silentLog });
      await reaper.sweep();
      expect(await room.engine().containersOf(installId)).toEqual([]);
    } finally {
      await room.engine().removeAllOf(installId);
    }
  });

  it('K179 K180 K181 K182 the sweep takes what nobody looks after in any state, of this installation only', async () => {
    const [own, other] = [someInstallId(), someInstallId()];
    const { engine } = room.house();
    const [created, running, paused] = await Promise.all([stray(own), stray(own), stray(own)]);
    for (const container of [running, paused]) await container.start();
    await api().send({ method: 'POST', path: `/containers/${paused.id}/pause` });
    const others = [await stray(other), await stray(`${own}0`), await stray(own.slice(0, -1))];
    const looked: unknown[] = [];
    const log = { ...silentLog, warn: (fields: object) => looked.push(fields) };
    const reaper = new Reaper({ engine, installId: own, log });
    try {
      expect(created.id).not.toBe('');
      expect(await reaper.sweep()).toBe(3);
      expect(looked).toEqual([{ removed: 3 }]);
      expect(await room.engine().containersOf(own)).toEqual([]);
      for (const container of others) expect(await container.state()).toMatchObject({ exitCode: 0 });
    } finally {
      for (const container of others) await container.remove();
    }
  });

  it('K180 the sweep leaves alone what is being looked after', async () => {
    const { backend, exit, installId } = await started();
    const reaper = new Reaper({ engine: room.house().engine, installId, log: silentLog });
    expect(await reaper.sweep()).toBe(0);
    await backend.stop();
    expect(await exit).toEqual({ kind: 'killed' });
  });

  it('K183 K184 a run whose time went by while the machine slept is ended when it wakes', async () => {
    const asleep = { forMs: 0 };
    const clock: Clock = { wallMs: () => Date.now() + asleep.forMs, monotonicMs: () => performance.now() };
    const { backend, exit } = await started(sleeps, { clock });
    const woke = performance.now();
    asleep.forMs = 3_600_000;
    expect(await exit).toEqual({ kind: 'timed_out' });
    expect(performance.now() - woke).toBeLessThan(5_000);
    await backend.stop();
  });

  it('K183 a wall clock that was set back gives no more time', async () => {
    const set = { backMs: 0 };
    const clock: Clock = { wallMs: () => Date.now() - set.backMs, monotonicMs: () => performance.now() };
    const { backend, exit, id } = await started(sleeps, { clock, timeoutMs: 2000 });
    set.backMs = 3_600_000;
    // Stopped, so that it is not the runner who keeps the time.
    await api().send({ method: 'POST', path: `/containers/${id}/pause` });
    expect(await exit).toEqual({ kind: 'timed_out' });
    await backend.stop();
  });

  it('I165 K181 an engine that goes away in mid-run ends the run with that reason; what it left is removed later', async () => {
    // Another way to the same engine, which the test can cut.
    const endpoint = testEndpoint();
    if (endpoint.kind !== 'local') throw new Error('the tests want a local engine');
    const cuts = new Set<Socket>();
    const socketPath = path.join(tmpdir(), `oauth3-way-${someInstallId().slice(-12)}.sock`);
    const way = createServer((near) => {
      const far = createConnection(endpoint.socketPath);
      for (const each of [near, far]) {
        cuts.add(each);
        each.on('error', () => {}).on('close', () => [near, far].map((end) => end.destroy()));
      }
      near.pipe(far).pipe(near);
    });
    way.listen(socketPath);
    await once(way, 'listening');
    const house = await openDockerHouse(['python'], ['container'], { kind: 'local', socketPath });
    const { backend, exit, installId } = await started(sleeps, { house });
    way.close();
    for (const each of cuts) each.destroy();
    expect(await exit).toEqual({ kind: 'broken', message: expect.stringContaining('engine stopped during the run') });
    await backend.stop();
    await house.close();
    const reaper = new Reaper({ engine: room.house().engine, installId, log: silentLog });
    await reaper.sweep();
    expect(await room.engine().containersOf(installId)).toEqual([]);
  });

  it('K181 a run that is ended while its container starts is over at once, and leaves none', async () => {
    const installId = someInstallId();
    const backend = room.house().backend({ installId, poolSize: 0 });
    const ending = new AbortController();
    const exit = runProgram(backend, 'python', 'print(1)', { signal: ending.signal });
    await room.engine().until(installId, (containers) => containers.length > 0);
    const ended = performance.now();
    ending.abort();
    expect((await exit).exit).toEqual({ kind: 'killed' });
    expect(performance.now() - ended).toBeLessThan(2_000);
    await backend.stop();
    expect(await room.engine().containersOf(installId)).toEqual([]);
  });

  it('leaves no container, whatever became of its runs', async () => {
    const installId = someInstallId();
    const backend = room.house().backend({ installId });
    await backend.start();
    await Promise.all([
      runProgram(backend, 'python', 'print(1)'),
      runProgram(backend, 'python', 'raise SystemExit(3)'),
      runProgram(backend, 'node', 'for (;;);', { timeoutMs: 300 }),
      runProgram(backend, 'node', 'for (;;);', { signal: AbortSignal.timeout(400) }),
    ]);
    backend.keepWarm(false);
    await backend.stop();
    expect(await room.engine().containersOf(installId)).toEqual([]);
  });
});

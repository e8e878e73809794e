import { type Duplex, duplexPair } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { runnerProtocol } from '../../contract/runnerProtocol.ts';
import { Tunnel, type TunnelSinks } from '../../main/backends/docker/tunnel.ts';
import { tunnelLimits } from '../../main/backends/docker/tunnelLimits.ts';
import { systemClock } from '../../main/core/systemClock.ts';

/** A runner that was taken over writes its own bytes into the tunnel, so these tests do: frame by frame (RFC 9113). */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const types = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, windowUpdate: 8, continuation: 9 } as const;
const endStream = 1;
const endHeaders = 4;

function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** `POST http://h` + path, in literals without a table. */
function post(path: string): Buffer {
  return Buffer.concat([
    Buffer.from([0x83, 0x86, 0x04, path.length]),
    Buffer.from(path),
    Buffer.from([0x01, 1]),
    Buffer.from('h'),
  ]);
}

const opened: { tunnel: Tunnel; inside: Duplex }[] = [];
afterEach(() => {
  for (const { tunnel, inside } of opened.splice(0)) {
    tunnel.close();
    inside.destroy();
  }
});

/** A tunnel whose runner has its job, and the bare connection in the hands of the attacker. */
async function takenOver(sinks: Partial<TunnelSinks> = {}) {
  const [outside, inside] = duplexPair();
  const tunnel = new Tunnel(outside, systemClock);
  opened.push({ tunnel, inside });
  inside.on('error', () => {});
  inside.resume();
  inside.write(runnerProtocol.runnerGreeting);
  inside.write(Buffer.concat([preface, frame(types.settings, 0, 0)]));
  inside.write(frame(types.headers, endHeaders | endStream, 1, post('/job')));
  await tunnel.ready;
  let connections = 0;
  const exit = tunnel.run(
    { command: [], env: {}, cwd: '/', files: {}, stdin: '', authorityPem: '', timeoutMs: 1 },
    {
      stdout: () => {},
      stderr: () => {},
      egress: (connection) => {
        connections += 1;
        connection.on('error', () => {}).resume();
      },
      ...sinks,
    },
  );
  exit.catch(() => {});
  return { tunnel, inside, connections: () => connections };
}

/** Writes what `next` gives until the tunnel is over, or `most` times; resolves with how many were written. */
async function flood(tunnel: Tunnel, inside: Duplex, most: number, next: (count: number) => Buffer): Promise<number> {
  let isOver = false;
  void tunnel.broken.then(() => {
    isOver = true;
  });
  let count = 0;
  while (!isOver && count < most) {
    for (let at = 0; at < 100; at += 1) {
      inside.write(next(count));
      count += 1;
    }
    // As a pipe would, this waits for a reader that is slow, and goes on when there is none any more.
    while (!isOver && inside.writableLength > 1024 * 1024) await turn();
    await turn();
  }
  return count;
}

const mostStreams = 100_000;
const streamOf = (count: number): number => 3 + 2 * count;

describe('J170 HTTP/2 abuse from inside a sandbox costs the host little and ends the run', () => {
  it('J170 rapid reset: streams that are opened and reset', async () => {
    const { tunnel, inside, connections } = await takenOver();
    const most = tunnelLimits.connections.capacity + tunnelLimits.refusedConnections;
    const sent = await flood(tunnel, inside, mostStreams, (count) =>
      Buffer.concat([
        frame(types.headers, endHeaders, streamOf(count), post('/egress')),
        frame(types.reset, 0, streamOf(count), number(8)),
      ]),
    );
    expect((await tunnel.broken).code).toBeDefined();
    expect(sent).toBeLessThan(2 * most);
    expect(connections()).toBeLessThanOrEqual(tunnelLimits.connections.capacity + 400);
  });

  it('J170 code that cuts as many connections as it may open does not end its run', async () => {
    const { tunnel, inside, connections } = await takenOver();
    let isOver = false;
    void tunnel.broken.then(() => {
      isOver = true;
    });
    const many = 2 * tunnelLimits.connections.capacity;
    await flood(tunnel, inside, many, (count) =>
      Buffer.concat([
        frame(types.headers, endHeaders, streamOf(count), post('/egress')),
        frame(types.reset, 0, streamOf(count), number(8)),
      ]),
    );
    for (let at = 0; at < 20; at += 1) await turn();
    expect(isOver).toBe(false);
    expect(connections()).toBeLessThan(many);
  });

  it.each([
    ['/egress', 0],
    ['/egress', 8],
    ['/stdout', 0],
    ['/exit', 0],
    ['/job', 0],
    ['/nowhere', 0],
  ])(
    'J170 a stream to %s that is reset with %i in the same breath as it is opened harms nobody',
    async (path, code) => {
      const defects: unknown[] = [];
      const note = (error: unknown) => defects.push(error);
      process.on('uncaughtException', note);
      try {
        const { tunnel, inside } = await takenOver();
        inside.write(
          Buffer.concat([frame(types.headers, endHeaders, 3, post(path)), frame(types.reset, 0, 3, number(code))]),
        );
        inside.write(frame(types.headers, endHeaders, 5, post('/nowhere')));
        expect((await tunnel.broken).code).toBe('violation');
      } finally {
        process.off('uncaughtException', note);
      }
      expect(defects).toEqual([]);
    },
  );

  it('J170 100 000 streams, each closed properly', async () => {
    let carried = 0;
    const { tunnel, inside } = await takenOver({
      egress: (connection) => {
        carried += 1;
        connection
          .on('error', () => {})
          .resume()
          .end();
      },
    });
    const sent = await flood(tunnel, inside, mostStreams, (count) =>
      frame(types.headers, endHeaders | endStream, streamOf(count), post('/egress')),
    );
    expect((await tunnel.broken).message).toContain('connections without end');
    expect(sent).toBeLessThan(mostStreams);
    expect(carried).toBeLessThan(2 * tunnelLimits.connections.capacity);
  });

  it('J170 more streams at once than were allowed', async () => {
    const { tunnel, inside, connections } = await takenOver();
    await flood(tunnel, inside, 5000, (count) => frame(types.headers, endHeaders, streamOf(count), post('/egress')));
    expect(connections()).toBeLessThanOrEqual(runnerProtocol.maxStreams);
    await tunnel.broken;
  });

  it('J170 a flood of pings', async () => {
    const { tunnel, inside } = await takenOver();
    const sent = await flood(tunnel, inside, mostStreams, () => frame(types.ping, 0, 0, Buffer.alloc(8)));
    expect((await tunnel.broken).code).toBe('violation');
    expect(sent).toBeLessThan(20_000);
  });

  it('J170 a flood of settings', async () => {
    const { tunnel, inside } = await takenOver();
    const sent = await flood(tunnel, inside, mostStreams, () => frame(types.settings, 0, 0));
    expect((await tunnel.broken).code).toBe('violation');
    expect(sent).toBeLessThan(20_000);
  });

  it('J170 headers that never end (CONTINUATION)', async () => {
    const { tunnel, inside } = await takenOver();
    inside.write(frame(types.headers, 0, 3, post('/egress')));
    const piece = Buffer.concat([Buffer.from([0x00, 1]), Buffer.from('x'), Buffer.from([100]), Buffer.alloc(100, 'y')]);
    const sent = await flood(tunnel, inside, mostStreams, () => frame(types.continuation, 0, 3, piece));
    expect((await tunnel.broken).code).toBeDefined();
    expect(sent).toBeLessThan(20_000);
  });

  it('J170 headers that grow when they are unpacked (HPACK)', async () => {
    const { tunnel, inside, connections } = await takenOver();
    const before = process.memoryUsage().rss;
    // Into the table once, then named thousands of times.
    const stored = Buffer.concat([
      Buffer.from([0x40, 1]),
      Buffer.from('x'),
      Buffer.from([0x7f, 0x80 | ((3000 - 127) & 0x7f), (3000 - 127) >> 7]),
      Buffer.alloc(3000, 'y'),
    ]);
    const bomb = Buffer.concat([post('/egress'), stored, Buffer.alloc(10_000, 0xbe)]);
    await flood(tunnel, inside, 200, (count) => frame(types.headers, endHeaders, streamOf(count), bomb));
    // Each such stream is refused while it is unpacked; nothing of it is kept.
    expect(connections()).toBe(0);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
  });

  it('J170 a window that overflows, and increments of nothing', async () => {
    const first = await takenOver();
    first.inside.write(frame(types.windowUpdate, 0, 0, number(0x7fff_ffff)));
    first.inside.write(frame(types.windowUpdate, 0, 0, number(0x7fff_ffff)));
    expect((await first.tunnel.broken).code).toBeDefined();
    const second = await takenOver();
    second.inside.write(frame(types.windowUpdate, 0, 0, number(0)));
    expect((await second.tunnel.broken).code).toBeDefined();
  });

  it('J170 more data than the windows allow', async () => {
    const { tunnel, inside } = await takenOver({ egress: (connection) => void connection.on('error', () => {}) });
    inside.write(frame(types.headers, endHeaders, 3, post('/egress')));
    const before = process.memoryUsage().rss;
    await flood(tunnel, inside, 20_000, () => frame(types.data, 0, 3, Buffer.alloc(16_384)));
    expect((await tunnel.broken).code).toBeDefined();
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
  });

  it('J170 frames that are too long, of streams that there are not, and noise', async () => {
    for (const bytes of [
      Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1]), Buffer.alloc(1000)]),
      frame(types.data, 0, 7, Buffer.from('x')),
      frame(types.headers, endHeaders, 2, post('/egress')),
      Buffer.alloc(4096, 0xa5),
    ]) {
      const { tunnel, inside } = await takenOver();
      inside.write(bytes);
      expect((await tunnel.broken).code).toBeDefined();
    }
  });
});

describe('what else a sandbox may say', () => {
  it('J171 text before the greeting is no runner', async () => {
    const [outside, inside] = duplexPair();
    const tunnel = new Tunnel(outside, systemClock);
    inside.write(`ld.so: warning: something\n${runnerProtocol.runnerGreeting}`);
    expect(await tunnel.broken).toMatchObject({ code: 'violation', message: expect.stringContaining('first bytes') });
  });

  it('J173 output that comes after the exit was told is not lost', async () => {
    const output: string[] = [];
    const [outside, inside] = duplexPair();
    const tunnel = new Tunnel(outside, systemClock);
    opened.push({ tunnel, inside });
    inside.resume();
    inside.write(runnerProtocol.runnerGreeting);
    inside.write(Buffer.concat([preface, frame(types.settings, 0, 0)]));
    inside.write(frame(types.headers, endHeaders | endStream, 1, post('/job')));
    await tunnel.ready;
    const exit = tunnel.run(
      { command: [], env: {}, cwd: '/', files: {}, stdin: '', authorityPem: '', timeoutMs: 1 },
      { stdout: (chunk) => output.push(String(chunk)), stderr: () => {}, egress: () => {} },
    );
    const told = JSON.stringify({ code: 0, signal: null, timedOut: false, outOfMemory: false });
    inside.write(frame(types.headers, endHeaders, 3, post('/stdout')));
    inside.write(frame(types.headers, endHeaders | endStream, 5, post('/stderr')));
    inside.write(frame(types.headers, endHeaders, 7, post('/exit')));
    inside.write(frame(types.data, endStream, 7, Buffer.from(told)));
    await turn();
    inside.write(frame(types.data, endStream, 3, Buffer.from('late')));
    expect((await exit).code).toBe(0);
    expect(output).toEqual(['late']);
  });
});

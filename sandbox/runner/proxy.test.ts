import { createHash } from 'node:crypto';
import { constants, type ServerHttp2Stream } from 'node:http2';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { runnerProtocol } from '../../contract/runnerProtocol.ts';
import { runnerRoom } from '../../tests/support/runnerRoom.ts';

const room = runnerRoom();

const accept = (stream: ServerHttp2Stream): ServerHttp2Stream => {
  stream.respond({ ':status': 200 });
  return stream;
};
const echo = (stream: ServerHttp2Stream): unknown => accept(stream).pipe(stream);

/** Runs a program whose connections `onEgress` serves; gives what it printed. */
const run = async (code: string, onEgress: (stream: ServerHttp2Stream) => unknown): Promise<string> => {
  const { host } = room.pair();
  host.onEgress = onEgress;
  const { stdout, stderr } = await host.run(room.program(code));
  expect(stderr).toBe('');
  return stdout;
};

describe('a connection of the job', () => {
  it('carries 64 MiB both ways at once, unchanged', async () => {
    const code = `
      import { createHash, randomBytes } from 'node:crypto';
      const block = randomBytes(1 << 20);
      const [sent, got] = [createHash('sha256'), createHash('sha256')];
      const socket = connect();
      let length = 0;
      socket.on('data', (chunk) => { length += chunk.length; got.update(chunk); });
      for (let i = 0; i < 64; i += 1) {
        block.writeUInt32BE(i);
        const copy = Buffer.from(block);
        sent.update(copy);
        if (!socket.write(copy)) await once(socket, 'drain');
      }
      socket.end();
      await once(socket, 'end');
      console.log(JSON.stringify([length, sent.digest('hex'), got.digest('hex')]));`;
    const hash = createHash('sha256');
    const [length, sent, got] = JSON.parse(
      await run(code, (stream) => {
        accept(stream).on('data', (chunk: Buffer) => hash.update(chunk));
        stream.pipe(stream);
      }),
    );
    expect(length).toBe(64 << 20);
    expect([got, hash.digest('hex')]).toEqual([sent, sent]);
  });

  it('still gets the answer after it said everything', async () => {
    const code = `const socket = connect(); socket.end('question'); process.stdout.write(await buffer(socket));`;
    const answered = await run(code, async (stream) => {
      const question = (await buffer(accept(stream))).toString();
      stream.end(`answer to ${question}`);
    });
    expect(answered).toBe('answer to question');
  });

  it('may go on after the host said everything', async () => {
    const code = `const socket = connect(); socket.resume(); await once(socket, 'end'); socket.end('x'.repeat(3_000_000));
      await once(socket, 'close');`;
    let received: Promise<Buffer> | undefined;
    await run(code, (stream) => {
      accept(stream).end('all');
      received = buffer(stream);
    });
    expect((await received)?.length).toBe(3_000_000);
  });

  it('that the host cuts is reset and never looks complete', async () => {
    const code = `const socket = connect(); socket.on('end', () => console.log('end'));
      socket.on('error', (error) => console.log(error.code)).resume();`;
    const printed = await run(code, (stream) => {
      // Not `close`: it sends the regular end before the reset.
      accept(stream).write('half of it', () => stream.destroy(new Error('cut')));
    });
    expect(printed).toBe('ECONNRESET\n');
  });

  it('that the job cuts is cut for the host', async () => {
    const code = `const socket = connect(); socket.write('x'); await once(socket, 'data'); socket.resetAndDestroy();`;
    let ended: Promise<number | undefined> | undefined;
    await run(code, (stream) => {
      ended = new Promise((resolve) => stream.once('close', () => resolve(stream.rstCode)));
      echo(stream);
    });
    expect(await ended).toBe(constants.NGHTTP2_CANCEL);
  });

  it.each([
    ['refuses the stream', (stream: ServerHttp2Stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM)],
    [
      'answers with another status',
      (stream: ServerHttp2Stream) => stream.respond({ ':status': 403 }, { endStream: true }),
    ],
    ['cancels before it answers', (stream: ServerHttp2Stream) => stream.close(constants.NGHTTP2_CANCEL)],
  ])('is answered 502 when the host %s', async (_, refuse) => {
    const code = `const socket = connect(); socket.write('CONNECT a.test:443 HTTP/1.1\\r\\n\\r\\n');
      process.stdout.write(await buffer(socket));`;
    expect(await run(code, refuse)).toBe('HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
  });

  it('carries 200 at a time', async () => {
    const code = `
      const one = async (id) => {
        const socket = connect();
        socket.end('number ' + id + ' '.repeat(20_000));
        return (await buffer(socket)).toString().trim() === 'number ' + id;
      };
      console.log((await Promise.all(Array.from({ length: 200 }, (_, id) => one(id)))).filter(Boolean).length);`;
    expect(await run(code, echo)).toBe('200\n');
  });

  it('waits its turn when too many are open, and is answered 503 when too many wait', async () => {
    const { maxConnections, maxWaitingConnections } = runnerProtocol;
    const code = `
      const all = Array.from({ length: ${maxConnections + maxWaitingConnections + 40} }, () => connect());
      let greeted = 0, refused = 0;
      const settled = new Promise((resolve) => {
        const check = () => { if (greeted === ${maxConnections} && refused === 40) resolve(); };
        for (const socket of all) {
          socket.on('error', () => undefined);
          socket.once('data', (chunk) => {
            if (String(chunk).startsWith('HTTP/1.1 503')) { refused += 1; socket.destroy(); } else greeted += 1;
            check();
          });
        }
      });
      await settled;
      console.log(greeted, refused);
      for (const socket of all) socket.end();
      await Promise.all(all.filter((socket) => !socket.destroyed).map((socket) => once(socket, 'close')));
      console.log(greeted, refused);`;
    const printed = await run(code, (stream) => {
      accept(stream).write('hello');
      stream.resume().once('end', () => stream.end());
    });
    expect(printed).toBe(`${maxConnections} 40\n${maxConnections + maxWaitingConnections} 40\n`);
  });

  it('ends node with one failed fetch, not a storm of attempts, when the host refuses', async () => {
    let connections = 0;
    const { host } = room.pair();
    host.onEgress = (stream) => {
      connections += 1;
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
    };
    const proxy = 'http://127.0.0.1:3128';
    const env = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: proxy, HTTPS_PROXY: proxy };
    const program = room.program(`await fetch('http://a.test/').catch((error) => console.log(error.message));`, {
      env,
    });
    expect((await host.run(program)).stdout).toBe('fetch failed\n');
    expect(connections).toBeLessThan(4);
  });

  it('does not pile up in the runner when the host does not read it', async () => {
    const code = `
      const socket = connect();
      await once(socket, 'connect');
      let stalled;
      let written = 0;
      const block = Buffer.alloc(1 << 16);
      while (socket.write(block) || await Promise.race([once(socket, 'drain'), new Promise((resolve) => { stalled = setTimeout(resolve, 700); })])) {
        clearTimeout(stalled);
        written += block.length;
      }
      console.log(written < (32 << 20), Number(/VmHWM:\\s*(\\d+)/.exec(readFileSync('/proc/1/status', 'utf8'))[1]) < 150_000);
      socket.destroy();`;
    expect(await run(code, (stream) => accept(stream).pause())).toBe('true true\n');
  });
});

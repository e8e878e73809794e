import { Duplex, PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { AttachStream } from './attachStream.ts';

function frame(kind: number, text: string | Buffer, length = Buffer.byteLength(text)): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt8(kind, 0);
  head.writeUInt32BE(length, 4);
  return Buffer.concat([head, Buffer.from(text)]);
}

/** A connection to an engine: what the engine says goes into `said`, what it is told comes out of `told`. */
function connection() {
  const said = new PassThrough();
  const told = new PassThrough();
  const socket = Duplex.from({ readable: said, writable: told });
  return { said, told, stream: new AttachStream(socket) };
}

async function textOf(stream: AttachStream): Promise<string> {
  let text = '';
  for await (const piece of stream) text += String(piece);
  return text;
}

describe('the stream of an attached container', () => {
  it.each([1, 2, 3, 7, 8, 9, 100])(
    'puts stdout together whatever the engine sends in pieces of %s bytes',
    async (size) => {
      const { said, stream } = connection();
      const bytes = Buffer.concat([frame(1, 'one '), frame(2, 'warning'), frame(1, ''), frame(1, 'two')]);
      for (let at = 0; at < bytes.length; at += size) said.write(bytes.subarray(at, at + size));
      said.end();
      expect(await textOf(stream)).toBe('one two');
      expect(stream.stderrTail).toBe('warning');
    },
  );

  it('keeps only the end of stderr', async () => {
    const { said, stream } = connection();
    for (let at = 0; at < 100; at += 1) said.write(frame(2, `${at} ${'x'.repeat(1000)}`));
    said.end(frame(2, 'the end'));
    await textOf(stream);
    expect(stream.stderrTail).toHaveLength(2048);
    expect(stream.stderrTail.endsWith('the end')).toBe(true);
  });

  it('writes stdin as it is', async () => {
    const { told, stream } = connection();
    stream.write('plain bytes');
    expect(String((await told.iterator().next()).value)).toBe('plain bytes');
  });

  it.each([
    ['a kind that there is not', frame(9, 'x')],
    ['a terminal, which has no frames', Buffer.from('hello from a terminal')],
    ['a length beyond any frame', frame(1, 'x', 0xffff_ffff)],
  ])('breaks on %s', async (_what, bytes) => {
    const { said, stream } = connection();
    said.write(bytes);
    await expect(textOf(stream)).rejects.toThrow('without frames');
  });

  it('takes no more from the engine than is read', async () => {
    const { said, stream } = connection();
    const piece = frame(1, Buffer.alloc(32 * 1024));
    let accepted = 0;
    for (let at = 0; at < 200; at += 1) {
      while (!said.writableNeedDrain && accepted < 1000) {
        said.write(piece);
        accepted += 1;
      }
      await turn();
    }
    expect(accepted).toBeLessThan(30);
    expect(stream.readableLength).toBeLessThan(256 * 1024);
    stream.resume();
    while (said.writableNeedDrain) await turn();
    stream.destroy();
  });

  it('ends with its connection', async () => {
    const { said, stream } = connection();
    said.write(frame(1, 'half').subarray(0, 10));
    said.end();
    expect(await textOf(stream)).toBe('ha');
  });
});

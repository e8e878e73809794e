import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameDecoder, FrameError } from './sandboxFrames.ts';
import { sandboxLimits } from './sandboxLimits.ts';

function decoded(chunks: readonly Uint8Array[]): unknown[] {
  const messages: unknown[] = [];
  const decoder = new FrameDecoder();
  for (const chunk of chunks) decoder.push(chunk, (message) => messages.push(message));
  return messages;
}

function head(jsonLength: number, bytesLength: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(0, jsonLength);
  new DataView(bytes.buffer).setUint32(4, bytesLength);
  return bytes;
}

describe('frames of the embedded sandbox', () => {
  const messages = [
    { type: 'ready' },
    { type: 'output', fd: 1, bytes: new Uint8Array([0, 255, 10]) },
    { type: 'exit', outcome: { kind: 'exited', exitCode: 0 } },
  ];

  it('come out as they went in, however the pipe cuts them', () => {
    const stream = Buffer.concat(messages.map((message) => encodeFrame(message)));
    for (const size of [1, 3, 7, 8, 9, stream.byteLength]) {
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < stream.byteLength; at += size) chunks.push(stream.subarray(at, at + size));
      expect(decoded(chunks)).toEqual(messages);
    }
  });

  it('are refused by their announced length, before a byte of them is kept', () => {
    expect(() => decoded([head(sandboxLimits.frameBytes, 0)])).toThrow(FrameError);
    expect(() => decoded([head(2, 0xffffffff)])).toThrow(FrameError);
  });

  it.each(['[1', 'null', '7', '"x"'])('are refused when their JSON is %s', (json) => {
    const bytes = new TextEncoder().encode(json);
    expect(() => decoded([head(bytes.byteLength, 0), bytes])).toThrow(FrameError);
  });

  it('are refused when their JSON is no UTF-8', () => {
    expect(() => decoded([head(3, 0), new Uint8Array([34, 0xff, 34])])).toThrow(FrameError);
  });
});

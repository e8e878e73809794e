import { expect, it } from 'vitest';
import { gathered } from './gathered.ts';

const bytes = (length: number): Uint8Array => new Uint8Array(length);

async function lengthsOf(body: AsyncIterable<Uint8Array>): Promise<readonly number[]> {
  const lengths: number[] = [];
  for await (const piece of body) lengths.push(piece.length);
  return lengths;
}

it('puts together what has arrived already, up to a bound', async () => {
  async function* body(): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < 20; i += 1) yield bytes(16_384);
  }
  expect(await lengthsOf(gathered(body()))).toEqual([131_072, 131_072, 65_536]);
});

it('waits for nothing: an event goes on before the next one has come', async () => {
  let send = (): void => {};
  async function* body(): AsyncGenerator<Uint8Array> {
    yield bytes(3);
    await new Promise<void>((resolve) => {
      send = resolve;
    });
    yield bytes(4);
  }
  const pieces = gathered(body());
  expect((await pieces.next()).value).toHaveLength(3);
  send();
  expect((await pieces.next()).value).toHaveLength(4);
  expect((await pieces.next()).done).toBe(true);
});

it('tells an error after what came before it, and closes the source when nobody reads on', async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield bytes(5);
    throw new Error('broke off');
  }
  const pieces = gathered(broken());
  expect((await pieces.next()).value).toHaveLength(5);
  await expect(pieces.next()).rejects.toThrow('broke off');
  let isClosed = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield bytes(1_000);
    } finally {
      isClosed = true;
    }
  }
  for await (const piece of gathered(endless())) if (piece.length > 0) break;
  expect(isClosed).toBe(true);
});

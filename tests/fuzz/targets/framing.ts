import { duplexPair } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { ProxyFrontEnd } from '../../../main/core/door.ts';
import { silentLog } from '../../../main/core/log.ts';
import { systemClock } from '../../../main/core/systemClock.ts';
import { makeProxyFrontEnd } from '../../../main/egress/proxy/frontEnd.ts';
import type { Choices } from '../choices.ts';
import { NotingDoor } from '../notingDoor.ts';
import { requestText } from '../requestTexts.ts';
import { type SlowRequest, slowRequests } from '../slowHttp.ts';
import { must, target } from '../target.ts';
import { mangledBytes } from '../words.ts';

type Input = Readonly<{
  bytes: Uint8Array;
  pieces: readonly Uint8Array[];
  /** True when every request in it is as RFC 9112 writes it. */
  isGood: boolean;
  ending: 'end' | 'break';
}>;

const host = 'api.example.com';

function make(choices: Choices): Input {
  const tunnelled = choices.rarely(3);
  const isGood = choices.below(4) === 0;
  const requests = choices.list(1, 3, () => requestText(choices, host, tunnelled, !isGood && !choices.rarely(2)));
  const before = tunnelled ? `CONNECT ${host}:8080 HTTP/1.1\r\nHost: ${host}:8080\r\n\r\n` : '';
  const text = Buffer.from(requests.join(''), 'latin1');
  const sent = isGood || choices.rarely(2) ? text : mangledBytes(choices, text, 2);
  const bytes = Buffer.concat([Buffer.from(before), sent]);
  return {
    bytes,
    pieces: bytes.length > 5_000 ? [bytes.subarray(0, 100), bytes.subarray(100)] : choices.pieces(bytes),
    isGood,
    ending: choices.pick(['end', 'break']),
  };
}

type Seen = Readonly<{ whole: readonly SlowRequest[]; answered: number; said: string }>;

async function play(
  frontEnd: ProxyFrontEnd,
  door: NotingDoor,
  pieces: readonly Uint8Array[],
  ending: Input['ending'],
): Promise<Seen> {
  const [client, server] = duplexPair();
  frontEnd.open(door);
  client.on('error', () => {});
  let said = '';
  client.on('data', (chunk: Buffer) => {
    said += chunk.toString('latin1');
  });
  const closed = new Promise<void>((resolve) => server.once('close', resolve));
  frontEnd.serve(server);
  let moved = 0;
  const settle = async (): Promise<void> => {
    for (let quiet = 0; quiet < 5 && !server.destroyed; quiet += 1) {
      await turn();
      const now = said.length + door.whole.length;
      if (now !== moved) quiet = 0;
      moved = now;
    }
  };
  for (const [at, piece] of pieces.entries()) {
    if (server.destroyed || !client.writable) break;
    client.write(piece);
    if (at % 16 === 15) await turn();
  }
  await settle();
  if (ending === 'end') client.end();
  else server.destroy();
  await closed;
  await turn();
  must(door.open === 0, 'a request is still under way after its connection');
  client.destroy();
  return { whole: door.whole, answered: said.split('HTTP/1.1 200 OK').length - 1, said };
}

export const framing = target({ name: 'framing', inputs: 60_000, testInputs: 1_000 }, async () => {
  const limits = { firstHeadMs: 2_000, idleMs: 2_000, lingerMs: 3, connectionRate: { capacity: 1e9, perMinute: 1e9 } };
  const frontEnd = await makeProxyFrontEnd({ log: silentLog, clock: systemClock, limits });

  async function check({ bytes, pieces, isGood, ending }: Input): Promise<void> {
    const once = await play(frontEnd, new NotingDoor(), [bytes], ending);
    const cut = await play(frontEnd, new NotingDoor(), pieces, ending);
    const facts = { once, cut };
    const slow = slowRequests(Buffer.from(bytes).toString('latin1'));
    for (const { whole } of [once, cut]) {
      // Bytes that are no request take those with them that are still under way; none may be made up or changed.
      const isSame = JSON.stringify(whole) === JSON.stringify(slow.slice(0, whole.length));
      must(isSame, 'the door was asked for what nobody wrote', { slow, ...facts });
      must(!isGood || whole.length === slow.length, 'a good request was lost', { slow, ...facts });
    }
    must(once.answered <= once.whole.length && cut.answered <= cut.whole.length, 'an answer to no request', facts);
  }

  return { make, check, close: () => frontEnd.close() };
});

import { duplexPair } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { DoorRequest, DoorResponse, EgressDoor, ProxyFrontEnd } from '../../../main/core/door.ts';
import { silentLog } from '../../../main/core/log.ts';
import { systemClock } from '../../../main/core/systemClock.ts';
import { makeProxyFrontEnd } from '../../../main/egress/proxy/frontEnd.ts';
import { anyTunnel } from '../../../main/runs/testDoor.ts';
import type { Choices } from '../choices.ts';
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
const oddLines = [
  'Transfer-Encoding: chunked',
  'transfer-encoding: gzip, chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding:\tchunked',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
  'Content-Length: 5',
  'Content-Length: 5\r\nContent-Length: 6',
  'Content-Length: 5, 5',
  'Content-Length: +5',
  'Content-Length: 0x5',
  'Content-Length: -1',
  'Content-Length: 99999999999999999999',
  'Content-Length : 5',
  'Content-Length: 5 ',
  ' Content-Length: 5',
  'X: a\r\n b',
  'X: a\nY: b',
  'X: a\rY: b',
  'X:\0',
  'X y: z',
  ': z',
  'X',
  'Host: evil.com',
  'Expect: 100-continue',
  'Connection: close',
  'Connection: Upgrade\r\nUpgrade: h2c',
  `X: ${'a'.repeat(90_000)}`,
];
const oddRequestLines = [
  `GET  http://${host}/ HTTP/1.1`,
  `GET http://${host}/`,
  `GET http://${host}/ HTTP/1.0`,
  `GET http://${host}/ HTTP/2.0`,
  `GET http://${host}/ HTTP/1.1 x`,
  'PRI * HTTP/2.0',
  `get http://${host}/ HTTP/1.1`,
  `GET\thttp://${host}/ HTTP/1.1`,
  `CONNECT ${host}:443 HTTP/1.1`,
  'GET / HTTP/1.1',
  'GET * HTTP/1.1',
  '',
  `\r\nGET http://${host}/ HTTP/1.1`,
];
const smuggled = `GET http://${host}/smuggled HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

function chunked(choices: Choices, content: string, odd: boolean): string {
  const size = content.length.toString(16);
  const shape = odd
    ? choices.pick([
        `${size};x=y`,
        `0x${size}`,
        ` ${size}`,
        `${size} `,
        `${size}\n`,
        `-${size}`,
        `${size}g`,
        'ffffffffffffffff1',
        `00${size}`,
        size,
      ])
    : size;
  const end = odd ? choices.pick(['0\r\n\r\n', '0\r\nX: y\r\n\r\n', '0\n\n', '0\r\n', '', '00\r\n\r\n']) : '0\r\n\r\n';
  return `${content === '' ? '' : `${shape}\r\n${content}\r\n`}${end}`;
}

function requestText(choices: Choices, tunnelled: boolean, odd: boolean): string {
  const path = choices.pick(['/', '/a?b=c', '/%41']);
  const url = tunnelled ? path : `http://${host}${path}`;
  const content = choices.pick(['', 'hello', 'x'.repeat(300), smuggled]);
  const method = content === '' ? 'GET' : 'POST';
  const line = odd && choices.rarely(4) ? choices.pick(oddRequestLines) : `${method} ${url} HTTP/1.1`;
  const framing = choices.below(3);
  const heads = [`Host: ${host}`, `X-N: ${choices.below(9)}`];
  if (content !== '') heads.push(framing === 0 ? `Content-Length: ${content.length}` : 'Transfer-Encoding: chunked');
  if (odd) heads.splice(choices.below(heads.length + 1), choices.below(2), choices.pick(oddLines));
  const body = content === '' ? '' : framing === 0 ? content : chunked(choices, content, odd && choices.rarely(2));
  return `${line}\r\n${heads.join('\r\n')}\r\n\r\n${body}`;
}

function make(choices: Choices): Input {
  const tunnelled = choices.rarely(3);
  const isGood = choices.below(4) === 0;
  const requests = choices.list(1, 3, () => requestText(choices, tunnelled, !isGood && !choices.rarely(2)));
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

/** A door that reads each body and notes what it was asked. */
class NotingDoor implements EgressDoor {
  readonly whole: SlowRequest[] = [];
  open = 0;
  readonly tunnel = anyTunnel.tunnel;
  readonly webSocket = anyTunnel.webSocket;
  readonly refusedEarly = anyTunnel.refusedEarly;

  async request({ method, url, headers, body }: DoorRequest): Promise<DoorResponse> {
    // A tunnel in a tunnel is asked for so that the engine refuses it and writes it down.
    if (method === 'CONNECT') {
      return { status: 403, statusText: 'Forbidden', headers: [], body: (async function* () {})(), refused: true };
    }
    this.open += 1;
    try {
      const pieces: Uint8Array[] = [];
      if (body instanceof Uint8Array) pieces.push(body);
      else if (body !== null) for await (const piece of body) pieces.push(piece);
      this.whole.push({
        method,
        url,
        headers: headers.map(([name, value]) => [name, value]),
        body: Buffer.concat(pieces).toString('latin1'),
      });
    } finally {
      this.open -= 1;
    }
    return {
      status: 200,
      statusText: 'OK',
      headers: [['content-length', '2']],
      body: (async function* () {
        yield Buffer.from('ok');
      })(),
    };
  }
}

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

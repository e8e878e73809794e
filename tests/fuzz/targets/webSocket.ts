import { type Duplex, duplexPair } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { HeaderPair } from '../../../main/core/door.ts';
import type { EgressSecret } from '../../../main/core/egressSpec.ts';
import { parseHostRule } from '../../../main/core/host.ts';
import { silentLog } from '../../../main/core/log.ts';
import { makePlaceholder } from '../../../main/core/placeholder.ts';
import { Redactor } from '../../../main/core/redaction.ts';
import { systemClock } from '../../../main/core/systemClock.ts';
import { EgressGateway } from '../../../main/egress/gateway.ts';
import { trustContext } from '../../../main/net/roots.ts';
import { Upstream } from '../../../main/net/upstream.ts';
import type { OpenWebSocket, WebSocketRequest } from '../../../main/net/webSocket.ts';
import { Choices } from '../choices.ts';
import { must, target } from '../target.ts';
import { mangled } from '../words.ts';

type Step = Readonly<{ side: 'code' | 'host'; bytes: Uint8Array }>;

type Input = Readonly<{
  method: string;
  url: string;
  headers: readonly HeaderPair[];
  body: Uint8Array | null;
  /** Exactly as RFC 6455 has it, to a host that was declared. */
  isGood: boolean;
  /** What both sides say once it is open. */
  steps: readonly Step[];
  ending: Readonly<{ side: Step['side']; kind: 'end' | 'break' }>;
  maxBytes: number;
}>;

const live = 'live.example.com';
const network = [
  { ...parseHostRule(live), ws: true as const },
  { ...parseHostRule('bound.example.com'), ws: true as const },
  parseHostRule('plain.example.com'),
];
const chance = Choices.of(0x3eb50c, 7);
const alphabet = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'];
const secret: EgressSecret = {
  secretId: 'sec_one',
  name: 'ONE',
  value: `sk-fake-${chance.list(24, 24, () => chance.pick(alphabet)).join('')}`,
  placeholder: makePlaceholder(chance.bytes(96, 96), { prefix: 'sk-' }),
  hosts: [parseHostRule('bound.example.com')],
  headers: ['x-custom-key'],
  query: ['key'],
  path: true,
  json: [],
  form: [],
};

const oddHeaders: readonly HeaderPair[] = [
  ['Upgrade', 'websocket'],
  ['Upgrade', 'h2c'],
  ['Upgrade', 'websocket, h2c'],
  ['Connection', 'close'],
  ['Connection', 'Upgrade, x-custom-key'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Version', '8'],
  ['Sec-WebSocket-Key', 'AAAAAAAAAAAAAAAAAAAAAA=='],
  ['Sec-WebSocket-Key', 'short'],
  ['Sec-WebSocket-Extensions', 'permessage-deflate'],
  ['Sec-WebSocket-Accept', 'x'],
  ['Sec-WebSocket-Protocol', secret.placeholder],
  ['Authorization', `Bearer ${secret.placeholder}`],
  ['Authorization', `Basic ${Buffer.from(`u:${secret.placeholder}`).toString('base64')}`],
  ['x-custom-key', secret.placeholder.toUpperCase()],
  [secret.placeholder, 'x'],
  ['Host', 'evil.com'],
  ['Content-Length', '5'],
  ['Transfer-Encoding', 'chunked'],
  ['Cookie', 'a=b\r\nX-Injected: 1'],
];
const hosts = [
  live,
  live,
  'LIVE.example.com',
  'bound.example.com',
  'plain.example.com',
  'evil.com',
  `${live}:443`,
  `${live}:8443`,
];
const paths = ['/', '/feed?a=b', `/${secret.placeholder}`, `/?key=${secret.placeholder}`, '/%2e%2e/x'];

function make(choices: Choices): Input {
  const isGood = choices.rarely(2);
  const key = Buffer.from(choices.bytes(16, 16)).toString('base64');
  const usual: HeaderPair[] = [
    ['Connection', 'Upgrade'],
    ['Upgrade', 'websocket'],
    ['Sec-WebSocket-Version', '13'],
    ['Sec-WebSocket-Key', key],
  ];
  const changed = usual
    .filter(() => !choices.rarely(12))
    .map(([name, value]): HeaderPair => [name, choices.rarely(8) ? mangled(choices, value, 1) : value]);
  const odd = (): Pick<Input, 'method' | 'url' | 'headers' | 'body'> => ({
    method: choices.rarely(10) ? choices.pick(['POST', 'get', 'CONNECT']) : 'GET',
    url: `${choices.rarely(8) ? 'http' : 'https'}://${choices.pick(hosts)}${choices.pick(paths)}`,
    headers: [...changed, ...choices.list(0, 2, () => choices.pick(oddHeaders))],
    body: choices.rarely(10) ? choices.bytes(0, 5) : null,
  });
  const asked = isGood ? { method: 'GET', url: `https://${live}/feed?a=b`, headers: usual, body: null } : odd();
  return {
    ...asked,
    isGood,
    steps: choices.list(0, 6, () => ({
      side: choices.pick(['code', 'host'] as const),
      bytes: choices.rarely(8) ? Buffer.alloc(choices.between(1_000, 60_000), 'x') : choices.bytes(1, 40),
    })),
    ending: { side: choices.pick(['code', 'host'] as const), kind: choices.pick(['end', 'break'] as const) },
    maxBytes: choices.pick([1e6, 1e6, 50, 2_000]),
  };
}

/** Both ends of a connection that breaks as a whole, as one over a network does. */
function connection(): readonly [Duplex, Duplex] {
  const [one, other] = duplexPair();
  const breaks = (end: Duplex, peer: Duplex): void => {
    end.on('error', () => {});
    end.once('close', () => {
      if (!end.readableEnded || !end.writableFinished) peer.destroy();
    });
  };
  breaks(one, other);
  breaks(other, one);
  return [one, other];
}

/** A side of an open connection: what arrived there, whole, one character a byte. */
class Side {
  readonly stream: Duplex;
  arrived = '';
  sent = '';

  constructor(stream: Duplex) {
    this.stream = stream;
    stream.on('data', (chunk: Buffer) => {
      this.arrived += chunk.toString('latin1');
    });
    // A peer that is told of the end ends as well, as RFC 6455, section 7.1.1, has it.
    stream.on('end', () => stream.end());
  }

  say(bytes: Uint8Array): void {
    if (this.stream.destroyed || !this.stream.writable) return;
    this.sent += Buffer.from(bytes).toString('latin1');
    this.stream.write(bytes);
  }
}

/** An upstream that opens whatever it is asked to, and notes it. */
class Opening extends Upstream {
  asked: WebSocketRequest[] = [];
  /** The connection as the gateway has it, and its other end. */
  opened: Readonly<{ socket: Duplex; host: Side }> | null = null;

  override async webSocket(request: WebSocketRequest): Promise<OpenWebSocket> {
    this.asked.push(request);
    const [socket, other] = connection();
    this.opened = { socket, host: new Side(other) };
    return { socket, protocol: null };
  }
}

const sole = (headers: readonly HeaderPair[], name: string): string | null => {
  const values = headers.filter(([given]) => given.toLowerCase() === name).map(([, value]) => value.trim());
  return values.length === 1 ? (values[0] ?? null) : null;
};

/** True for a handshake that may pass as to its form: a second opinion without patterns. */
function isHandshake({ method, headers, body }: Input): boolean {
  const key = sole(headers, 'sec-websocket-key') ?? '';
  return (
    method === 'GET' &&
    body === null &&
    sole(headers, 'upgrade')?.toLowerCase() === 'websocket' &&
    sole(headers, 'sec-websocket-version') === '13' &&
    key.length === 24 &&
    Buffer.from(key, 'base64').length === 16
  );
}

/** The upgrade to a WebSocket and the bytes that pass through it. Its frames are not read here: they are carried. */
export const webSocket = target({ name: 'websocket', inputs: 40_000, testInputs: 1_000 }, () => {
  const upstream = new Opening(trustContext([]));
  const redactor = new Redactor([secret]);
  const gateway = new EgressGateway({
    upstream,
    localServices: () => new Map(),
    resolver: async () => ['93.184.215.14'],
    ownAddresses: () => [],
    log: silentLog,
    clock: systemClock,
  });

  async function check(input: Input): Promise<void> {
    const { isGood, maxBytes } = input;
    upstream.asked = [];
    upstream.opened = null;
    const trips: unknown[] = [];
    const session = gateway.open({
      runId: 'run_fuzz',
      rules: network,
      secrets: [secret],
      boundHosts: secret.hosts,
      limits: {
        maxRequests: 4,
        maxConcurrent: 2,
        maxBytesIn: maxBytes,
        maxBytesOut: maxBytes,
        requestTimeoutMs: 5_000,
      },
      redactor,
      onTripwire: (trip) => trips.push(trip),
    });
    const verdict = await session.webSocket(input);
    const { asked } = upstream;
    const opened = upstream.opened as Opening['opened'];
    must(asked.length === (verdict.ok ? 1 : 0), 'the host heard of what was refused', asked);
    must(verdict.ok || !isGood, 'a good handshake was refused', input);
    must(trips.length === 0 || !verdict.ok, 'it was opened although it tripped the wire', trips);
    for (const request of asked) checkAsked(request, input);
    if (verdict.ok && opened !== null) {
      const [inner, outer] = connection();
      await checkRelay(input, new Side(outer), opened.host, verdict.relay(inner));
      must(inner.destroyed && opened.socket.destroyed, 'a connection is left open');
    }
    session.close();
    must(session.records.length === 1, 'one handshake is not one record', session.records);
  }

  function checkAsked(request: WebSocketRequest, input: Input): void {
    must(isHandshake(input), 'it was opened for what is no handshake', input);
    must(input.url.startsWith('https://'), 'it was opened without TLS', input.url);
    must(request.host === live && request.target.port === 443, 'it was opened to a host that it was not declared for');
    const text = [request.path, ...[...request.headers].flat()].join('\n');
    const decoded = text.split(/[\n ]/).map((word) => Buffer.from(word, 'base64').toString('latin1'));
    const readings = [text, decodeURIComponent(request.path), ...decoded].map((reading) => reading.toLowerCase());
    for (const given of [secret.value, secret.placeholder]) {
      must(
        !readings.some((reading) => reading.includes(given.toLowerCase())),
        'a secret or its stand-in went out',
        text,
      );
    }
    must(!text.includes('\r') && request.path.startsWith('/'), 'a line break goes into the head', text);
    const ours = ['sec-websocket-key', 'sec-websocket-version', 'sec-websocket-extensions', 'sec-websocket-accept'];
    must(!ours.some((name) => request.headers.has(name)), "the code's own handshake went out", text);
  }

  async function checkRelay({ steps, ending, maxBytes }: Input, code: Side, host: Side, over: Promise<void>) {
    const sides = { code, host };
    const settle = async (): Promise<void> => {
      for (let quiet = 0, last = -1; quiet < 4; quiet += 1) {
        await turn();
        const now = code.arrived.length + host.arrived.length;
        if (now !== last) quiet = 0;
        last = now;
      }
    };
    for (const { side, bytes } of steps) {
      sides[side].say(bytes);
      await turn();
    }
    const { stream } = sides[ending.side];
    // An end comes after what was said before it; a break may take that with it.
    if (ending.kind === 'break') await settle();
    if (ending.kind === 'end') stream.end();
    else stream.destroy();
    await over;
    await turn();
    const facts = { code: code.sent.length, host: host.sent.length, at: [code.arrived.length, host.arrived.length] };
    must(host.sent.startsWith(code.arrived), 'the code got what the host did not say', facts);
    must(code.sent.startsWith(host.arrived), 'the host got what the code did not say', facts);
    must(Math.max(code.arrived.length, host.arrived.length) <= maxBytes, 'more passed than may', facts);
    const isWhole = code.sent.length <= maxBytes && host.sent.length <= maxBytes;
    const arrived = host.arrived === code.sent && code.arrived === host.sent;
    must(!isWhole || arrived, 'bytes were lost on the way', facts);
  }

  return { make, check };
});

import { type Duplex, duplexPair } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { connect } from 'node:tls';
import type { ProxyFrontEnd } from '../../../main/core/door.ts';
import { silentLog } from '../../../main/core/log.ts';
import { systemClock } from '../../../main/core/systemClock.ts';
import { makeProxyFrontEnd } from '../../../main/egress/proxy/frontEnd.ts';
import type { Choices } from '../choices.ts';
import { NotingDoor } from '../notingDoor.ts';
import { requestText } from '../requestTexts.ts';
import { slowRequests } from '../slowHttp.ts';
import { must, target } from '../target.ts';
import { mangledBytes } from '../words.ts';

/** What becomes of the bytes of TLS on their way to the front end: `at` counts them from the first of the tunnel. */
type Damage = Readonly<{ kind: 'flipped' | 'lost' | 'added' | 'cut'; at: number; byte: number }>;

type Input = Readonly<{
  /** What the client says inside TLS. */
  bytes: Uint8Array;
  pieces: readonly Uint8Array[];
  /** Nothing but requests as they should be. */
  isGood: boolean;
  /** Whom the client names (SNI), null for nobody. */
  name: string | null;
  protocols: readonly string[];
  damage: Damage | null;
  ending: 'end' | 'break';
}>;

const host = 'api.example.com';
const otherNames = ['evil.com', 'api.example.com.evil.com', 'xapi.example.com', 'example.com', 'localhost'];

function make(choices: Choices): Input {
  const isGood = choices.rarely(2);
  const texts = choices.list(1, 3, () => requestText(choices, host, true, !isGood && !choices.rarely(2)));
  const text = Buffer.from(texts.join(''), 'latin1');
  const bytes = isGood || choices.rarely(2) ? text : mangledBytes(choices, text, 2);
  const kind = choices.pick(['flipped', 'lost', 'added', 'cut'] as const);
  // A ClientHello has some 300 bytes, a handshake less than 600.
  const damage = { kind, at: choices.below(choices.pick([12, 600, 2_000])), byte: choices.between(1, 255) };
  return {
    bytes,
    pieces: bytes.length > 5_000 ? [bytes.subarray(0, 100), bytes.subarray(100)] : choices.pieces(bytes),
    isGood,
    name: choices.rarely(6) ? choices.pick(otherNames) : choices.pick([host, host, 'API.example.com', null]),
    protocols: choices.rarely(8) ? choices.pick([['h2'], ['h2', 'spdy/3']]) : choices.pick([[], ['http/1.1']]),
    damage: choices.rarely(3) ? damage : null,
    ending: choices.pick(['end', 'break']),
  };
}

/** Passes on what the client writes, with the one damage; `moved` is called for each piece. */
function carry(from: Duplex, to: Duplex, damage: Damage | null, moved: () => void): void {
  let seen = 0;
  from.on('data', (chunk: Buffer) => {
    moved();
    const at = damage === null ? -1 : damage.at - seen;
    seen += chunk.length;
    if (to.destroyed || !to.writable) return;
    if (damage === null || at < 0 || at >= chunk.length) {
      to.write(chunk);
      return;
    }
    const [head, tail] = [chunk.subarray(0, at), chunk.subarray(at + 1)];
    const byte = chunk[at] ?? 0;
    if (damage.kind === 'cut') to.end(head);
    else if (damage.kind === 'lost') to.write(Buffer.concat([head, tail]));
    else if (damage.kind === 'added') to.write(Buffer.concat([head, Buffer.of(damage.byte, byte), tail]));
    else to.write(Buffer.concat([head, Buffer.of(byte ^ damage.byte), tail]));
  });
  from.on('end', () => to.end());
}

/** How long an answer may take: the sandbox's end of TLS shares the thread with all others. */
const answerMs = 5_000;

/** Plays one client; `expected`: how many answers it waits for before it leaves. */
async function play(
  frontEnd: ProxyFrontEnd,
  door: NotingDoor,
  { name, protocols, damage, ending }: Input,
  pieces: readonly Uint8Array[],
  expected: number,
) {
  const [client, server] = duplexPair();
  const [near, far] = duplexPair();
  let moves = 0;
  const move = (): void => {
    moves += 1;
  };
  for (const stream of [client, near, far]) stream.on('error', () => {});
  const settle = async (): Promise<void> => {
    let last = -1;
    for (let quiet = 0; quiet < 8 && !server.destroyed; quiet += 1) {
      await turn();
      const now = moves + door.whole.length;
      if (now !== last) quiet = 0;
      last = now;
    }
  };
  const closed = new Promise<void>((resolve) => server.once('close', resolve));
  frontEnd.open(door);
  frontEnd.serve(server);
  client.write(`CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\n\r\n`);
  await new Promise<void>((resolve) => client.once('data', () => resolve()));
  carry(far, client, damage, move);
  carry(client, far, null, move);

  const secured = connect({
    socket: near,
    ca: frontEnd.authorityPem,
    // The name of the certificate is another matter than the name that is asked for.
    checkServerIdentity: () => undefined,
    ALPNProtocols: [...protocols],
    ...(name === null ? {} : { servername: name }),
  });
  let said = '';
  secured.on('error', () => {});
  secured.on('data', (chunk: Buffer) => {
    said += chunk.toString('latin1');
  });
  for (const [at, piece] of pieces.entries()) {
    if (secured.destroyed || !secured.writable) break;
    secured.write(piece);
    if (at % 16 === 15) await turn();
  }
  const answered = (): number => said.split('HTTP/1.1 200 OK').length - 1;
  const giveUpAt = performance.now() + answerMs;
  while (answered() < expected && performance.now() < giveUpAt) await turn();
  await settle();
  if (ending === 'break') server.destroy();
  else {
    secured.end();
    await settle();
    client.end();
  }
  await closed;
  await turn();
  must(door.open === 0, 'a request is still under way after its connection');
  for (const stream of [secured, client, near, far]) stream.destroy();
  return { whole: door.whole, answered: answered() };
}

/** What stands in a tunnel with TLS: only what the client wrote into it may reach the door, and only for its host. */
export const tunnelTls = target({ name: 'tunnel-tls', inputs: 8_000, testInputs: 150 }, async () => {
  const limits = { firstHeadMs: 2_000, idleMs: 2_000, lingerMs: 3, connectionRate: { capacity: 1e9, perMinute: 1e9 } };
  const frontEnd = await makeProxyFrontEnd({ log: silentLog, clock: systemClock, limits });

  async function check(input: Input): Promise<void> {
    const { bytes, pieces, isGood, name, protocols, damage } = input;
    const isServed = (name === null || name.toLowerCase() === host) && !protocols.includes('h2');
    const slow = slowRequests(Buffer.from(bytes).toString('latin1'), `https://${host}:443`);
    for (const cut of [[bytes], pieces]) {
      const isWhole = isGood && isServed && damage === null;
      const { whole, answered } = await play(frontEnd, new NotingDoor(), input, cut, isWhole ? slow.length : 0);
      const facts = { whole, slow };
      must(isServed || whole.length === 0, 'a client was served that named another host or protocol', facts);
      const isSame = JSON.stringify(whole) === JSON.stringify(slow.slice(0, whole.length));
      must(isSame, 'the door was asked for what nobody wrote', facts);
      must(!isWhole || whole.length === slow.length, 'a good request was lost', facts);
      must(!isWhole || answered === slow.length, 'a good request has no answer', { answered, ...facts });
      must(answered <= whole.length, 'an answer to no request', { answered, ...facts });
    }
  }

  return { make, check, close: () => frontEnd.close() };
});

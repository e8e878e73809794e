import { once } from 'node:events';
import tls from 'node:tls';
import type { HostMessage } from '../../contract/sandboxMessages.ts';
import { Exchanges } from '../../main/backends/embedded/exchanges.ts';
import type { HeaderPair } from '../../main/core/door.ts';
import type { EgressSession } from '../../main/egress/session.ts';
import { errorIn, type Reply, type SendRequest } from './egressHouse.ts';
import { Client, type HttpAnswer, type ProxyHouse, startProxyHouse } from './proxyHouse.ts';

/** The two ways into the engine, as the code of a sandbox has them: messages of QuickJS, and bytes of a container. */
export const frontEnds = ['embedded', 'container'] as const;

/** Sends one request and reads the whole answer; rejects when the answer breaks off. */
export type Send = (session: EgressSession, url: string, request?: SendRequest) => Promise<Reply>;

/** `close` after each test: it ends what was opened for its sessions. */
export type FrontEnd = Readonly<{ send: Send; close: () => Promise<void> }>;

const replyOf = (status: number, headers: readonly HeaderPair[], bytes: Buffer): Reply => {
  const text = bytes.toString('utf8');
  return { status, headers, bytes, text, error: errorIn(text) };
};

const pairsOf = ({ headers = [] }: SendRequest): readonly HeaderPair[] =>
  Array.isArray(headers) ? headers : Object.entries(headers);

/** The pieces of a body, one when it was not given in pieces. */
async function piecesOf({ body = null }: SendRequest): Promise<readonly Uint8Array[] | null> {
  if (body === null || body instanceof Uint8Array) return body === null ? null : [body];
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return pieces;
}

async function whole(request: SendRequest): Promise<Buffer | null> {
  const pieces = await piecesOf(request);
  return pieces === null ? null : Buffer.concat(pieces);
}

/** A body as bytes on the wire, with the header that frames it: in chunks when it was given in pieces. */
async function framed(request: SendRequest): Promise<Readonly<{ header: HeaderPair; bytes: Buffer }> | null> {
  const pieces = await piecesOf(request);
  if (pieces === null) return null;
  if (request.body instanceof Uint8Array) {
    const bytes = Buffer.concat(pieces);
    return { header: ['Content-Length', String(bytes.length)], bytes };
  }
  const chunks = pieces.filter(({ length }) => length > 0);
  const bytes = Buffer.concat([
    ...chunks.flatMap((chunk) => [Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]),
    Buffer.from('0\r\n\r\n'),
  ]);
  return { header: ['Transfer-Encoding', 'chunked'], bytes };
}

/** What a child says for one `fetch`, to the host's side of it. */
const throughMessages: Send = async (session, url, request = {}) => {
  const body = await whole(request);
  const chunks: Uint8Array[] = [];
  return new Promise((resolve, reject) => {
    let head: Extract<HostMessage, { type: 'response' }> | null = null;
    const exchanges = new Exchanges(session, (message) => {
      if (message.type === 'response') head = message;
      if (message.type === 'chunk') {
        chunks.push(message.bytes);
        exchanges.receive({ type: 'credit', id: 1, count: message.bytes.byteLength });
      }
      if (message.type === 'failed') reject(new Error(message.message));
      if (message.type === 'end' && head !== null) resolve(replyOf(head.status, head.headers, Buffer.concat(chunks)));
    });
    const headers = pairsOf(request).map(([name, value]): [string, string] => [name, value]);
    const bodyBytes = body === null ? null : body.length;
    exchanges.receive({ type: 'fetch', id: 1, method: request.method ?? 'GET', url, headers, bodyBytes });
    if (body !== null && body.length > 0) exchanges.receive({ type: 'body', id: 1, bytes: body });
  });
};

/** What a client in a container says for it: CONNECT and TLS for https, else the URL in the request line. */
async function throughProxy(proxy: ProxyHouse, url: string, request: SendRequest): Promise<Reply> {
  const [, authority = '', rest = ''] = /^https:\/\/([^/?#]*)([^#]*)/.exec(url) ?? [];
  let client = await proxy.connect();
  if (authority !== '') {
    const target = /:[^\]]*$/.test(authority) ? authority : `${authority}:443`;
    client.write(Buffer.from(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`));
    const opened = await client.answer('connect');
    if (opened.status !== 200) return answered(opened);
    client = await secured(client, proxy, target.replace(/:\d+$/, ''));
  }
  const method = request.method ?? 'GET';
  const body = await framed(request);
  const headers = pairsOf(request);
  const own: readonly HeaderPair[] = [
    ...(headers.some(([name]) => name.toLowerCase() === 'host') ? [] : [['Host', hostIn(url)] as const]),
    ...(body === null ? [] : [body.header]),
  ];
  const path = rest.startsWith('/') ? rest : `/${rest}`;
  const lines = [...own, ...headers].map(([name, value]) => `${name}: ${value}\r\n`);
  client.write(Buffer.from(`${method} ${authority === '' ? url : path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1'));
  if (body !== null) client.write(body.bytes);
  return answered(await client.answer(method === 'HEAD'));
}

const hostIn = (url: string): string => /^https?:\/\/([^/?#]*)/.exec(url)?.[1] ?? 'none';

async function secured({ socket }: Client, proxy: ProxyHouse, servername: string): Promise<Client> {
  socket.removeAllListeners('data');
  const inner = tls.connect({
    socket,
    servername,
    ca: proxy.frontEnd.authorityPem,
    // A trailing dot is the client's business.
    checkServerIdentity: () => undefined,
  });
  await once(inner, 'secureConnect');
  return new Client(inner);
}

function answered({ status, head, raw, whole: isWhole }: HttpAnswer): Reply {
  if (!isWhole) throw new Error('the answer broke off');
  const lines = head.split('\r\n').slice(1, -2);
  const headers = lines.map(
    (line): HeaderPair => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)],
  );
  return replyOf(status, headers, raw);
}

export function frontEnd(name: (typeof frontEnds)[number]): FrontEnd {
  if (name === 'embedded') return { send: throughMessages, close: async () => {} };
  const proxies = new Map<EgressSession, Promise<ProxyHouse>>();
  return {
    async send(session, url, request = {}) {
      const proxy = proxies.get(session) ?? startProxyHouse(session, { carriage: 'direct' });
      proxies.set(session, proxy);
      return throughProxy(await proxy, url, request);
    },
    async close() {
      await Promise.all([...proxies.values()].map(async (proxy) => (await proxy).close()));
      proxies.clear();
    },
  };
}

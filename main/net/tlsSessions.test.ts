import { once } from 'node:events';
import { createServer, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Authority, makeAuthority } from '../../tests/support/certificates.ts';
import { dial } from './dial.ts';
import { trustContext } from './roots.ts';
import { TlsSessions } from './tlsSessions.ts';

const peer = { host: 'api.allowed.com', port: 443, address: '192.0.2.1' };

it('finds a session only for exactly the peer that it was verified for', () => {
  const sessions = new TlsSessions();
  sessions.keep(peer, Buffer.from('ticket'));
  expect(sessions.find({ ...peer })).toEqual(Buffer.from('ticket'));
  expect(sessions.find({ ...peer, host: 'other.allowed.com' })).toBeUndefined();
  expect(sessions.find({ ...peer, port: 8443 })).toBeUndefined();
  expect(sessions.find({ ...peer, address: '192.0.2.2' })).toBeUndefined();
});

it('forgets the oldest of too many', () => {
  const sessions = new TlsSessions();
  for (let port = 1; port <= 33; port += 1) sessions.keep({ ...peer, port }, Buffer.from('ticket'));
  expect(sessions.find({ ...peer, port: 1 })).toBeUndefined();
  expect(sessions.find({ ...peer, port: 2 })).toBeDefined();
});

it('knows nothing once it is closed, also when a ticket comes late', () => {
  const sessions = new TlsSessions();
  sessions.keep(peer, Buffer.from('ticket'));
  sessions.close();
  expect(sessions.find(peer)).toBeUndefined();
  sessions.keep(peer, Buffer.from('ticket'));
  expect(sessions.find(peer)).toBeUndefined();
});

let authority: Authority;
let port = 0;
let shutDown = (): void => {};
beforeAll(async () => {
  authority = await makeAuthority();
  const server = createServer({ ...(await authority.issue(['api.allowed.com'])) }, (socket: TLSSocket) => {
    socket.on('error', () => {});
    socket.end(socket.isSessionReused() ? 'resumed' : 'full');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
  shutDown = () => void server.close();
});
afterAll(() => shutDown());

async function handshake(sessions: TlsSessions, host = 'api.allowed.com', trusted = authority): Promise<string> {
  const target = { addresses: ['127.0.0.1'], port };
  const trust = trustContext([trusted.certPem]);
  const socket = await dial({ host, target, trust, sessions, signal: new AbortController().signal });
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

it('B43 makes the second handshake of a run short, and none of another run', async () => {
  const sessions = new TlsSessions();
  expect(await handshake(sessions)).toBe('full');
  expect(await handshake(sessions)).toBe('resumed');
  expect(await handshake(new TlsSessions())).toBe('full');
});

it('C59 checks the name of another host in full, though the same server has a session with us', async () => {
  const sessions = new TlsSessions();
  await handshake(sessions);
  await expect(handshake(sessions, 'other.allowed.com')).rejects.toMatchObject({ code: 'upstream_tls' });
});

it('C59 keeps nothing of a peer that was not trusted', async () => {
  const sessions = new TlsSessions();
  await expect(handshake(sessions, 'api.allowed.com', await makeAuthority())).rejects.toMatchObject({
    code: 'upstream_tls',
  });
  await expect(handshake(sessions, 'other.allowed.com')).rejects.toMatchObject({ code: 'upstream_tls' });
  expect(sessions.find({ host: 'api.allowed.com', port, address: '127.0.0.1' })).toBeUndefined();
  expect(sessions.find({ host: 'other.allowed.com', port, address: '127.0.0.1' })).toBeUndefined();
});

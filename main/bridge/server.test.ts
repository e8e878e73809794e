import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { rawCall } from '../../tests/support/agentHouse.ts';
import { silentLog } from '../core/log.ts';
import { acceptedNames } from './guard.ts';
import { Listeners, PortInUseError } from './listeners.ts';
import { answerClientError, createGuardedServer } from './server.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function listening(server: Server): Promise<number> {
  closers.push(() => {
    server.close();
    server.closeAllConnections();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return portOf(server);
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('ATTACKS N234, B41 a caller that never finishes', () => {
  const quick = { headersTimeout: 60, requestTimeout: 120, keepAliveTimeout: 60, connectionsCheckingInterval: 20 };

  async function quickServer(): Promise<number> {
    const server = createGuardedServer((_, response) => response.end(), acceptedNames([], []), quick);
    return listening(server.on('clientError', answerClientError));
  }

  it.each([
    ['its headers', 'GET / HTTP/1.1\r\nX-A: 1\r\n'],
    ['its first byte', ''],
  ])('is cut off before it finished %s', async (_name, bytes) => {
    const answer = await rawCall(await quickServer(), bytes);
    expect(answer === '' || answer.includes('invalid_request')).toBe(true);
  });

  it('is cut off before it finished its body', async () => {
    const server = createGuardedServer((request) => request.resume(), acceptedNames([], []), quick);
    const port = await listening(server.on('clientError', answerClientError));
    const head = `POST / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n`;
    expect(await rawCall(port, head)).toContain('did not arrive in time');
  });
});

describe('listening', () => {
  const plain = (): Server => createServer((_, response) => response.end('ok'));

  function listeners(port: number, makeServer = plain): Listeners {
    const opened = new Listeners(makeServer, port, silentLog);
    closers.push(() => {
      for (const server of opened.servers) server.closeAllConnections();
      void opened.stop();
    });
    return opened;
  }

  it('says where it answers, and is refused where somebody else does', async () => {
    const url = await listeners(0).open(['127.0.0.1']);
    const port = Number(new URL(url).port);
    expect(await (await fetch(url)).text()).toBe('ok');
    await expect(listeners(port).open(['127.0.0.1'])).rejects.toThrow(PortInUseError);
    await expect(listeners(port).open(['127.0.0.1'])).rejects.toThrow(/set PORT/);
  });

  it('takes every address it was given, on one port', async () => {
    const url = await listeners(0).open(['127.0.0.1', '127.0.0.2']);
    const second = new URL(url);
    second.hostname = '127.0.0.2';
    expect([(await fetch(url)).status, (await fetch(second)).status]).toEqual([200, 200]);
  });

  it('does not wait for an address that is not there while another one is, and takes it when it comes', async () => {
    let tries = 0;
    const missingOnce = (): Server => {
      const server = plain();
      tries += 1;
      if (tries !== 2) return server;
      // Plays an interface that is down at the first try.
      server.listen = () => {
        setImmediate(() => server.emit('error', Object.assign(new Error('not there'), { code: 'EADDRNOTAVAIL' })));
        return server;
      };
      return server;
    };
    const opened = listeners(0, missingOnce);
    const url = await opened.open(['127.0.0.1', '127.0.0.3']);
    expect(new URL(url).hostname).toBe('127.0.0.1');
    expect(opened.servers).toHaveLength(1);
    await expect.poll(() => opened.servers.length, { timeout: 5_000 }).toBe(2);
    const late = new URL(url);
    late.hostname = '127.0.0.3';
    expect((await fetch(late)).status).toBe(200);
  });
});

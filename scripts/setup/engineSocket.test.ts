import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { engineAt } from './engineSocket.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oauth3-engine-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the engine at an address', () => {
  it('is what answers at a socket of this machine', async () => {
    const socketPath = join(folder, 'engine.sock');
    const info = { ServerVersion: '20.10.24', Runtimes: { runc: { path: 'runc' }, runsc: { runtimeArgs: ['--a'] } } };
    const server = createServer((_request, response) =>
      response.setHeader('api-version', '1.41').end(JSON.stringify(info)),
    );
    await new Promise<void>((resolve) => server.listen(socketPath, resolve));
    chmodSync(socketPath, 0o600);
    try {
      expect(await engineAt(`unix://${socketPath}`)).toEqual({
        url: `unix://${socketPath}`,
        socketPath,
        socketGroupId: null,
        version: '20.10.24',
        runtimes: { runc: [], runsc: ['--a'] },
      });
    } finally {
      server.close();
    }
  });

  it.each(['', 'tcp://127.0.0.1:2375', 'ssh://host', 'unix://relative', 'npipe:////./pipe/docker_engine'])(
    'is never one on another machine or at no socket: %j',
    async (url) => expect(await engineAt(url)).toBeUndefined(),
  );

  it('is none where nothing answers', async () => {
    expect(await engineAt(`unix://${folder}/nothing`)).toBeUndefined();
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { EngineApi, EngineError } from './engineApi.ts';

type Answer = (request: http.IncomingMessage, response: http.ServerResponse) => void;

let folder = '';
let server: http.Server;
let api: EngineApi;
let answer: Answer;
let asked: string[];
let apiVersion: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'oauth3-engine-'));
  const socketPath = path.join(folder, 's');
  asked = [];
  apiVersion = '1.41';
  answer = (_request, response) => void response.end('{}');
  server = http.createServer((request, response) => {
    if (request.url === '/_ping') {
      response.setHeader('api-version', apiVersion).end('OK');
      return;
    }
    asked.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  api = new EngineApi({ kind: 'local', socketPath });
});

afterEach(async () => {
  api.close();
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true, force: true });
});

const any = z.unknown();
const get = (path: string) => ({ method: 'GET', path }) as const;

async function refusal(promise: Promise<unknown>): Promise<EngineError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof EngineError)) throw new Error(`no EngineError: ${error}`);
  return error;
}

const linesOf = async (path: string): Promise<readonly unknown[]> => {
  const lines: unknown[] = [];
  for await (const line of api.lines(get(path))) lines.push(line);
  return lines;
};

describe('calling the engine', () => {
  it('speaks the version of an older engine, and never a newer one than it knows', async () => {
    await api.json(get('/info'), any);
    apiVersion = '1.99';
    api.forget();
    await api.json(get('/info'), any);
    expect(asked).toEqual(['GET /v1.41/info', 'GET /v1.47/info']);
  });

  it('encodes what stands in a query', async () => {
    await api.json({ ...get('/images/json'), query: { filters: '{"label":["a&b=c"]}' } }, any);
    expect(new URL(asked[0]?.slice('GET '.length) ?? '', 'http://x').searchParams.get('filters')).toBe(
      '{"label":["a&b=c"]}',
    );
  });

  it('sends JSON and archives as what they are', async () => {
    const got: string[] = [];
    answer = async (request, response) => {
      got.push(`${request.headers['content-type']} ${await text(request)}`);
      response.end('{}');
    };
    await api.send({ method: 'POST', path: '/a', json: { b: 1 } });
    await api.send({ method: 'POST', path: '/c', archive: Readable.from([Buffer.from('tar')]) });
    expect(got).toEqual(['application/json {"b":1}', 'application/x-tar tar']);
  });

  it('gives the engine’s own words when it refuses', async () => {
    answer = (_request, response) => void response.writeHead(409).end('{"message":"name is in use"}');
    expect(await refusal(api.json(get('/x'), any))).toMatchObject({ status: 409, message: 'name is in use' });
    answer = (_request, response) => void response.writeHead(500).end('<html>');
    expect(await refusal(api.send(get('/x')))).toMatchObject({
      status: 500,
      message: 'The container engine answered 500',
    });
  });

  it('does not pass on an answer of another shape', async () => {
    answer = (_request, response) => void response.end('{"Id":5}');
    const error = await refusal(api.json(get('/x'), z.looseObject({ Id: z.string() })));
    expect(error.message).toBe('The container engine answered /x in a way that is not understood');
  });

  it('says in a sentence that no engine is there, or that something else is', async () => {
    const nobody = new EngineApi({ kind: 'local', socketPath: path.join(folder, 'nobody') });
    const error = await refusal(nobody.json(get('/x'), any));
    expect(error).toMatchObject({
      status: 0,
      message: 'The container engine does not answer: no container engine is running',
    });
    apiVersion = 'html';
    expect(await refusal(api.json(get('/x'), any))).toMatchObject({
      message: 'What answers there is not a container engine',
    });
  });

  it('asks for the version again after it could not be learnt', async () => {
    apiVersion = 'html';
    await refusal(api.json(get('/x'), any));
    apiVersion = '1.41';
    expect(await api.json(get('/x'), any)).toEqual({});
  });

  it('does not wait longer than it is told for the head of an answer', async () => {
    answer = () => {};
    const error = await refusal(api.json({ ...get('/x'), timeoutMs: 50 }, any));
    expect(error.message).toBe('The container engine does not answer: no answer in time');
  });

  it.each(['json', 'send'] as const)('does not wait longer for the end of an answer either (%s)', async (method) => {
    for (const status of [200, 500]) {
      answer = (_request, response) => void response.writeHead(status).write('{"begun":');
      const call = { ...get('/x'), timeoutMs: 50 };
      const error = await refusal(method === 'json' ? api.json(call, any) : api.send(call));
      expect(error).toMatchObject({ status: 0, message: 'The container engine does not answer: no answer in time' });
    }
  });

  it('takes the time of the head away from that of the body', async () => {
    const heads: http.ServerResponse[] = [];
    answer = (_request, response) => {
      heads.push(response);
      setTimeout(() => response.writeHead(200).write('{'), 200);
    };
    const started = performance.now();
    await refusal(api.json({ ...get('/x'), timeoutMs: 300 }, any));
    expect(performance.now() - started).toBeLessThan(480);
    expect(heads).toHaveLength(1);
  });

  it('leaves an answer when its caller does, also in the middle', async () => {
    const leaving = new AbortController();
    answer = (_request, response) => {
      response.writeHead(200).write('{"begun":');
      leaving.abort();
    };
    const error = await refusal(api.json({ ...get('/x'), signal: leaving.signal }, any));
    expect(error.status).toBe(0);
  });

  it('stops reading an answer that does not end', async () => {
    answer = (_request, response) => {
      const chunk = Buffer.alloc(1 << 20, 'x');
      const more = () => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', more);
      more();
    };
    expect((await refusal(api.json(get('/x'), any))).message).toContain('too long');
    expect((await refusal(linesOf('/x'))).message).toContain('a line without an end');
  });
});

describe('streams of the engine', () => {
  it('are lines however they are cut', async () => {
    answer = (_request, response) => {
      for (const piece of ['{"a"', ':1}\n\n{"b":"\u00e4', '"}\nnoise\n', '{"c":3}']) response.write(piece);
      response.end();
    };
    expect(await linesOf('/build')).toEqual([{ a: 1 }, { b: '\u00e4' }, { c: 3 }]);
  });

  it('end with an error of the engine when it breaks off', async () => {
    answer = (_request, response) => {
      response.write('{"a":1}\n', () => response.destroy());
    };
    expect(await refusal(linesOf('/build'))).toMatchObject({ status: 0 });
  });

  it('are bytes as they come', async () => {
    answer = (_request, response) => void response.end(Buffer.from([0, 255, 10]));
    expect([...(await buffer(await api.bytes(get('/export'))))]).toEqual([0, 255, 10]);
  });

  it('go both ways once an attach took the connection over, also the first bytes', async () => {
    server.on('upgrade', (_request, socket) => {
      socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nfirst ');
      socket.on('data', (chunk) => socket.end(`back: ${chunk}`));
    });
    const stream = await api.hijack({ method: 'POST', path: '/containers/x/attach' });
    stream.write('hello');
    expect(await text(stream)).toBe('first back: hello');
  });

  it('are refused in the engine’s words', async () => {
    answer = (_request, response) => void response.writeHead(404).end('{"message":"No such container: x"}');
    const attach = api.hijack({ method: 'POST', path: '/containers/x/attach' });
    expect(await refusal(attach)).toMatchObject({ status: 404, message: 'No such container: x' });
  });
});

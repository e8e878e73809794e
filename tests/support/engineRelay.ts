import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import {
  createServer,
  type IncomingMessage,
  type RequestOptions,
  request as requestOf,
  type Server,
  type ServerResponse,
} from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { z } from 'zod';
import type { Runtime } from '../../contract/runtime.ts';
import { withEngine } from '../../scripts/setup/engineSocket.ts';
import { engineUnderTest } from './testEngine.ts';

/** A call that stands still: `before` it reaches the engine, or `after` the engine did it and nobody was told. */
export type Held = Readonly<{
  /** Resolves when the first such call is held. */
  arrived: Promise<void>;
  letGo(): void;
}>;

/**
 * The engine of this test run behind a socket of its own, which can be cut: for the app that is an engine that was
 * killed, and the engine itself, which others use, goes on. Calls are named `METHOD /path`, without version and query.
 */
export type EngineRelay = Readonly<{
  /** For DOCKER_HOST. */
  url: string;
  calls(): readonly string[];
  hold(call: RegExp, when?: 'before' | 'after'): Held;
  /** Such calls are answered here from now on, until the function that it gives is called. */
  answer(call: RegExp, status: number, json: unknown): () => void;
  /** From now on the engine seems to have only the sealed images of these runtimes. */
  showImagesOf(runtimes: readonly Runtime[]): () => void;
  /** Nobody answers there any more, and all that was open breaks off. */
  cut(): Promise<void>;
  mend(): Promise<void>;
  close(): Promise<void>;
}>;

type Rule = Readonly<{ call: RegExp; when: 'before' | 'after'; pass(): Promise<void> }>;
type Reply = Readonly<{ call: RegExp; status: number; json: () => unknown }>;

const imagesSchema = z.array(z.looseObject({ Labels: z.record(z.string(), z.string()).nullish() }));

const nameOf = ({ method, url }: IncomingMessage): string =>
  `${method} ${(url ?? '').replace(/^\/v[0-9.]+/, '').replace(/\?.*/, '')}`;

export async function openEngineRelay(options: Readonly<{ cut?: boolean }> = {}): Promise<EngineRelay> {
  const engine = engineUnderTest().socketPath;
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-relay-'));
  const socketPath = join(folder, 'engine.sock');
  const calls: string[] = [];
  const rules = new Set<Rule>();
  const replies = new Set<Reply>();
  const open = new Set<Duplex>();
  let server: Server | null = null;

  const standStill = async (call: string, when: 'before' | 'after'): Promise<void> => {
    for (const rule of rules) if (rule.when === when && rule.call.test(call)) await rule.pass();
  };
  const forwarded = ({ method, url, headers }: IncomingMessage): RequestOptions => ({
    socketPath: engine,
    agent: false,
    method: method ?? 'GET',
    path: url ?? '/',
    headers,
  });

  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const call = nameOf(request);
    calls.push(call);
    await standStill(call, 'before');
    const ours = [...replies].find((each) => each.call.test(call));
    if (ours !== undefined) {
      request.resume();
      const text = JSON.stringify(await ours.json());
      response.writeHead(ours.status, { 'content-type': 'application/json' }).end(text);
      return;
    }
    if (response.destroyed) return;
    const asked = requestOf(forwarded(request));
    response.once('close', () => asked.destroy());
    asked.on('error', () => response.destroy());
    asked.once('response', (answer) => {
      answer.on('error', () => response.destroy());
      void standStill(call, 'after').then(() => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        response.flushHeaders();
        answer.pipe(response);
      });
    });
    request.pipe(asked);
  };

  const upgrade = async (request: IncomingMessage, near: Duplex, head: Buffer): Promise<void> => {
    const call = nameOf(request);
    calls.push(call);
    near.on('error', () => {});
    await standStill(call, 'before');
    const asked = requestOf(forwarded(request));
    asked.on('error', () => near.destroy());
    asked.once('response', () => near.destroy());
    asked.once('upgrade', ({ statusCode, statusMessage, rawHeaders }, far, first) => {
      const lines = Array.from({ length: rawHeaders.length / 2 }, (_, at) => rawHeaders.slice(2 * at, 2 * at + 2));
      near.write(
        `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.map((line) => line.join(': ')).join('\r\n')}\r\n\r\n`,
      );
      near.write(first);
      far.write(head);
      far.on('error', () => near.destroy());
      far.once('close', () => near.destroy());
      near.once('close', () => far.destroy());
      near.pipe(far).pipe(near);
    });
    near.once('close', () => asked.destroy());
    asked.end();
  };

  const mend = async (): Promise<void> => {
    server = createServer((request, response) => void pass(request, response));
    server.on('upgrade', (request, socket, head) => void upgrade(request, socket, head));
    server.on('connection', (socket) => {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
    });
    server.listen(socketPath);
    await once(server, 'listening');
  };
  const cut = async (): Promise<void> => {
    if (server === null) return;
    const closed = once(server, 'close');
    server.close();
    server = null;
    for (const socket of open) socket.destroy();
    await closed;
  };

  const reply = (call: RegExp, status: number, json: () => unknown): (() => void) => {
    const each: Reply = { call, status, json };
    replies.add(each);
    return () => replies.delete(each);
  };

  if (options.cut !== true) await mend();
  return {
    url: `unix://${socketPath}`,
    calls: () => [...calls],
    hold(call, when = 'before') {
      let [arrive, letGo] = [() => {}, () => {}];
      const arrived = new Promise<void>((resolve) => {
        arrive = resolve;
      });
      const free = new Promise<void>((resolve) => {
        letGo = resolve;
      });
      const rule: Rule = {
        call,
        when,
        pass: () => {
          arrive();
          return free;
        },
      };
      rules.add(rule);
      return {
        arrived,
        letGo: () => {
          rules.delete(rule);
          letGo();
        },
      };
    },
    answer: (call, status, json) => reply(call, status, () => json),
    showImagesOf(runtimes) {
      const isShown = ({ Labels }: z.infer<typeof imagesSchema>[number]): boolean =>
        Labels?.['oauth3.variant'] === 'sealed' && runtimes.some((name) => name === Labels['oauth3.runtime']);
      return reply(/^GET \/images\/json$/, 200, async () => {
        const call = { method: 'GET', path: '/images/json' } as const;
        return (await withEngine(engine, (api) => api.json(call, imagesSchema))).filter(isShown);
      });
    },
    cut,
    mend,
    async close() {
      await cut();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

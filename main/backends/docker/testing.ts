import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { RunnerJob } from '../../../contract/runnerProtocol.ts';
import type { EngineEndpoint } from './endpoint.ts';
import type { MadeImages } from './images/madeImages.ts';

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** For tests: answers that end at once with JSON. */
export const answerJson =
  (body: unknown, status = 200): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };

/** For tests: says that it is there and then nothing. */
const answerOpen: Answer = (response) => {
  response.writeHead(200).flushHeaders();
};

/** For tests: a job that asks for nothing. */
export const anyJob: RunnerJob = {
  command: ['/bin/program'],
  env: {},
  cwd: '/tmp/job',
  files: {},
  stdin: '',
  authorityPem: '',
  timeoutMs: 1000,
};

/** For tests: a memory of made images that ends with them. */
export function madeInMemory(): MadeImages {
  const ids = new Map<string, string>();
  return { id: (recipe) => ids.get(recipe) ?? null, remember: (recipe, id) => void ids.set(recipe, id) };
}

export const answerNever: Answer = () => {};

export const infoOf = (more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> => ({
  OSType: 'linux',
  CgroupVersion: '2',
  SecurityOptions: ['name=seccomp,profile=builtin'],
  Runtimes: { runc: { path: 'runc' } },
  DefaultRuntime: 'runc',
  MemTotal: 8_000_000_000,
  MemoryLimit: true,
  SwapLimit: true,
  CpuCfsQuota: true,
  PidsLimit: true,
  ...more,
});

/** For tests: an engine that says what the test tells it to; it can go away and come back at the same place. */
export class FakeEngine {
  readonly endpoint: Extract<EngineEndpoint, { kind: 'local' }> = {
    kind: 'local',
    socketPath: path.join(tmpdir(), `oauth3-engine-${randomBytes(6).toString('hex')}.sock`),
  };
  /** `METHOD /path` as it was asked, without version and query. */
  readonly calls: string[] = [];
  readonly #answers = new Map<string, Answer>();
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;

  constructor() {
    this.on('GET /_ping', (response) => {
      response.writeHead(200, { 'api-version': '1.41' }).end('OK');
    });
    this.on('GET /info', answerJson(infoOf()));
    this.on('GET /version', answerJson({ Version: '29.4.2', Components: [{ Name: 'runc', Version: '1.3.3' }] }));
    this.on('GET /events', answerOpen);
    this.on('GET /containers/json', answerJson([]));
  }

  on(call: string, answer: Answer): void {
    this.#answers.set(call, answer);
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      const [asked = ''] = (request.url ?? '').split('?');
      const call = `${request.method} ${asked.replace(/^\/v[0-9.]+/, '')}`;
      this.calls.push(call);
      (this.#answers.get(call) ?? answerJson({ message: `the fake has no ${call}` }, 404))(response, request);
    });
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server = server;
    server.listen(this.endpoint.socketPath);
    await once(server, 'listening');
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    for (const socket of this.#sockets) socket.destroy();
    if (server !== null) await new Promise((resolve) => server.close(resolve));
  }
}

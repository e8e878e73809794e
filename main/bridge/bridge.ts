import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { MAX_BODY_BYTES } from '../../contract/bridge.ts';
import type { CodedError } from '../../contract/errors.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { Authentication, type AuthPort } from './authentication.ts';
import { answerHeaders, refusal } from './envelope.ts';
import { mediaTypeError, notFoundError, toCodedError } from './errors.ts';
import { acceptedNames } from './guard.ts';
import { readJson } from './jsonBody.ts';
import { Listeners } from './listeners.ts';
import { type BridgeUseCases, registerRoutes } from './routes.ts';
import { answerClientError, createGuardedServer, type RequestHandler } from './server.ts';

export type BridgePorts = BridgeUseCases &
  Readonly<{
    auth: AuthPort;
    config: Readonly<{ port: number; bind: readonly string[]; allowedHosts: readonly string[] }>;
    clock: Clock;
    log: Log;
  }>;

export type Bridge = Readonly<{
  /** Resolves once the bridge answers. Throws PortInUseError or BindError. */
  listen(): Promise<Readonly<{ url: string }>>;
  /** Ends long-polls with what is known, then everything else; takes about two seconds at most. */
  close(): Promise<void>;
}>;

// Answers that are being written at shutdown get this long.
const graceMs = 2_000;
const jsonType = /^application\/json(?:\s*;\s*charset="?utf-8"?)?\s*$/i;

/** The HTTP side for agents: guard, routes, envelope. */
export function createBridge(ports: BridgePorts): Bridge {
  const { config, log } = ports;
  const names = acceptedNames(config.bind, config.allowedHosts);
  const open = new Set<AbortController>();
  let closing = false;
  let handler: RequestHandler | null = null;

  const app = Fastify({
    serverFactory: (fastifyHandler) => {
      handler = fastifyHandler;
      return createGuardedServer(fastifyHandler, names);
    },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, _request, reply) => sendError(reply, toCodedError(error, log)),
    bodyLimit: MAX_BODY_BYTES,
    exposeHeadRoutes: false,
    requestIdHeader: false,
    routerOptions: { maxParamLength: 200 },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_request: FastifyRequest, body: Buffer) =>
    readJson(body),
  );
  app.addHook('onRequest', async (request) => {
    if (request.is404) throw notFoundError();
  });
  app.addHook('preParsing', async (request) => refuseOtherTypes(request));
  app.addHook('onSend', async (_request, reply) => {
    reply.headers(answerHeaders);
    if (closing) reply.header('connection', 'close');
  });
  app.setNotFoundHandler((_request, reply) => sendError(reply, notFoundError()));
  app.setErrorHandler((error, _request, reply) => sendError(reply, toCodedError(error, log)));

  const signalOf = (reply: FastifyReply): AbortSignal => {
    const gone = new AbortController();
    open.add(gone);
    reply.raw.once('close', () => {
      open.delete(gone);
      gone.abort();
    });
    if (closing) gone.abort();
    return gone.signal;
  };
  registerRoutes(app, ports, new Authentication(ports.auth, ports.clock, log), signalOf);

  const makeServer = serverMaker(app, () => handler, names);
  const listeners = new Listeners(makeServer, config.port, log);

  return {
    async listen() {
      await app.ready();
      return { url: await listeners.open(config.bind) };
    },
    async close() {
      closing = true;
      const stopped = listeners.stop();
      for (const gone of open) gone.abort();
      for (const server of listeners.servers) server.closeIdleConnections();
      const timer = setTimeout(() => {
        for (const server of listeners.servers) server.closeAllConnections();
      }, graceMs);
      await stopped;
      clearTimeout(timer);
      await app.close();
    },
  };
}

function serverMaker(app: FastifyInstance, handler: () => RequestHandler | null, names: ReadonlySet<string>) {
  let first = true;
  return () => {
    const known = handler();
    if (first || known === null) {
      first = false;
      return app.server;
    }
    return createGuardedServer(known, names).on('clientError', answerClientError);
  };
}

function refuseOtherTypes(request: FastifyRequest): void {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') throw mediaTypeError();
  const type = request.headers['content-type'];
  const needed = request.method === 'POST';
  if (type === undefined ? needed : !jsonType.test(type)) throw mediaTypeError();
}

function sendError(reply: FastifyReply, error: CodedError): void {
  const { status, headers, body } = refusal(error);
  reply.code(status).headers(headers).send(body);
}

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import {
  type ExecuteAnswer,
  type ExecuteBody,
  executeBodySchema,
  type HealthView,
  MAX_WAIT_SECONDS,
  type PairAnswer,
  type PairView,
  pairBodySchema,
  type RequestView,
} from '../../contract/bridge.ts';
import type { AgentRecord } from '../core/records.ts';
import { type Authentication, isLoopback } from './authentication.ts';
import { validated } from './errors.ts';

/** The use cases behind the routes. `signal` fires when the caller goes away or we shut down. */
export type BridgeUseCases = Readonly<{
  intake: Readonly<{
    execute(
      agent: AgentRecord,
      body: ExecuteBody,
      signal: AbortSignal,
    ): Promise<Readonly<{ httpStatus: 200 | 202; body: ExecuteAnswer | RequestView }>>;
  }>;
  status: Readonly<{
    view(agent: AgentRecord, id: string, waitSeconds: number, signal: AbortSignal): Promise<RequestView>;
    cancel(agent: AgentRecord, id: string): Readonly<{ status: 'cancelled' }>;
  }>;
  pairing: Readonly<{
    ask(name: string, fromLoopback: boolean): Promise<PairAnswer>;
    collect(id: string, waitSeconds: number, signal: AbortSignal): Promise<PairView>;
  }>;
  /** Probes; the details only for agents. */
  health: (detailed: boolean) => Promise<HealthView>;
}>;

const idParams = z.object({ id: z.string() });
const unknownKeysRefused = z.strictObject({
  wait: z
    .union(
      [
        z.literal('true').transform(() => 30),
        z
          .string()
          .regex(/^\d{1,6}(\.\d{1,3})?$/)
          .transform((text) => Math.min(Number(text), MAX_WAIT_SECONDS)),
      ],
      'must be a number of seconds, or true',
    )
    .default(0),
});

/** Every route there is. `signalOf` tells when nobody waits for the answer any more. */
export function registerRoutes(
  app: FastifyInstance,
  useCases: BridgeUseCases,
  authentication: Authentication,
  signalOf: (reply: FastifyReply) => AbortSignal,
): void {
  const agents = new WeakMap<FastifyRequest, AgentRecord>();
  const forAgents = {
    onRequest: async (request: FastifyRequest): Promise<void> => {
      agents.set(request, authentication.required(request.raw));
    },
  };
  const agentOf = (request: FastifyRequest): AgentRecord => agents.get(request) ?? authentication.required(request.raw);
  const idOf = (request: FastifyRequest): string => validated(idParams, request.params).id;
  const waitOf = (request: FastifyRequest): number => validated(unknownKeysRefused, request.query).wait;

  app.get('/health', (request) => useCases.health(authentication.known(request.raw) !== null));

  app.post('/execute', forAgents, async (request, reply) => {
    const body = validated(executeBodySchema, request.body);
    const answer = await useCases.intake.execute(agentOf(request), body, signalOf(reply));
    reply.code(answer.httpStatus);
    return answer.body;
  });

  for (const path of ['/requests/:id', '/execute/:id/status']) {
    app.get(path, forAgents, (request, reply) =>
      useCases.status.view(agentOf(request), idOf(request), waitOf(request), signalOf(reply)),
    );
  }

  app.delete('/requests/:id', forAgents, async (request) => useCases.status.cancel(agentOf(request), idOf(request)));

  app.post('/pair', async (request, reply) => {
    const { name } = validated(pairBodySchema, request.body);
    const answer = await useCases.pairing.ask(name, isLoopback(request.raw.socket.remoteAddress));
    reply.code(202);
    return answer;
  });

  app.get('/pair/:id', (request, reply) => useCases.pairing.collect(idOf(request), waitOf(request), signalOf(reply)));
}

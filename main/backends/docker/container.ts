import type { Readable } from 'node:stream';
import { z } from 'zod';
import { AttachStream } from './attachStream.ts';
import { type ContainerLimits, limitFields } from './containerSpec.ts';
import { type EngineApi, EngineError } from './engineApi.ts';

const created = z.looseObject({ Id: z.string().regex(/^[0-9a-f]{64}$/) });

const inspected = z.looseObject({
  State: z.looseObject({
    OOMKilled: z.boolean(),
    ExitCode: z.number(),
    Error: z.string(),
  }),
});

/** How a container ended. `error` is the engine's sentence about a start that failed. */
export type ContainerState = Readonly<{ outOfMemory: boolean; exitCode: number; error: string }>;

const startTimeoutMs = 60_000;
const killTimeoutMs = 5_000;
const lookTimeoutMs = 5_000;

/** One container at the engine. Methods throw EngineError. */
export class Container {
  readonly id: string;
  readonly #api: EngineApi;

  private constructor(api: EngineApi, id: string) {
    this.#api = api;
    this.id = id;
  }

  /** Cannot be given up: the engine would make it all the same, and nobody would know its id to remove it. */
  static async create(api: EngineApi, spec: object): Promise<Container> {
    const { Id } = await api.json({ method: 'POST', path: '/containers/create', json: spec }, created);
    return new Container(api, Id);
  }

  static withId(api: EngineApi, id: string): Container {
    return new Container(api, id);
  }

  /** Before `start`, or its first words are lost. The end of the stream is the end of the container's stdin. */
  async attach(): Promise<AttachStream> {
    const query = { stream: '1', stdin: '1', stdout: '1', stderr: '1' };
    return new AttachStream(await this.#api.hijack({ method: 'POST', path: this.#path('attach'), query }));
  }

  /** Resolves when the engine will tell the next end; the stream ends with it. Before `start`. */
  async watchEnd(): Promise<Readable> {
    const query = { condition: 'next-exit' };
    const answer = await this.#api.bytes({ method: 'POST', path: this.#path('wait'), query });
    answer.on('error', () => {});
    return answer.resume();
  }

  async start(): Promise<void> {
    await this.#api.send({ method: 'POST', path: this.#path('start'), timeoutMs: startTimeoutMs });
  }

  /** All in one call: memory cannot be raised without swap, and one call costs as much as one field. */
  async setLimits(limits: ContainerLimits): Promise<void> {
    await this.#api.send({ method: 'POST', path: this.#path('update'), json: limitFields(limits) });
  }

  async state(): Promise<ContainerState> {
    const call = { method: 'GET', path: this.#path('json'), timeoutMs: lookTimeoutMs } as const;
    const { State } = await this.#api.json(call, inspected);
    return {
      outOfMemory: State.OOMKilled,
      exitCode: State.ExitCode,
      error: State.Error.slice(0, 500),
    };
  }

  /** Resolves when none of its processes is left. One that has ended by itself is as good. */
  async kill(): Promise<void> {
    await unlessGone(this.#api.send({ method: 'POST', path: this.#path('kill'), timeoutMs: killTimeoutMs }));
  }

  /** Ends and forgets it with all that it wrote. One that is gone, or going, is as good. */
  async remove(): Promise<void> {
    const path = `/containers/${this.id}`;
    await unlessGone(this.#api.send({ method: 'DELETE', path, query: { force: '1', v: '1' } }));
  }

  #path(verb: string): string {
    return `/containers/${this.id}/${verb}`;
  }
}

async function unlessGone(call: Promise<void>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof EngineError) || (error.status !== 404 && error.status !== 409)) throw error;
  }
}

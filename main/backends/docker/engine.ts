import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../core/log.ts';
import { ChangeSignal } from '../../core/signal.ts';
import type { EngineEndpoint } from './endpoint.ts';
import { EngineApi, EngineError } from './engineApi.ts';
import { type EngineFacts, engineFacts, infoSchema, versionSchema } from './engineFacts.ts';
import { engineWarnings } from './preflight.ts';

/** `looking`: it was not asked yet. */
export type EngineState =
  | Readonly<{ available: true; facts: EngineFacts }>
  | Readonly<{ available: false; looking: boolean; reason: string }>;

const lookTimeoutMs = 10_000;
/** An engine that hangs keeps its connections. */
const pulseMs = 30_000;
const firstRetryMs = 1_000;
const longestRetryMs = 15_000;

const remoteRefused =
  'DOCKER_HOST names another machine: what runs there is not limited and not seen like here. Use a local engine, or allow a remote one in the settings.';

/**
 * The container engine, as far as it can be seen: it is asked what it is, then one connection (its events) is held as
 * long as it lives, and it is asked again whenever that ends. `start` and `stop` begin and end this.
 */
export class Engine {
  /** Null when the endpoint is of a kind that is not used. */
  readonly api: EngineApi | null;
  /** Sandbox ids of the containers that a part of this app looks after; the reaper leaves these alone. */
  readonly live = new Set<string>();
  readonly #log: Log;
  readonly #changed = new ChangeSignal();
  #state: EngineState;
  #ending = new AbortController();
  #watching: Promise<void> = Promise.resolve();
  #onFirstLook: () => void = () => {};

  /** `allowRemote`: the owner said that an engine on another machine is fine. */
  constructor(options: Readonly<{ endpoint: EngineEndpoint; allowRemote?: boolean; log: Log }>) {
    const { endpoint } = options;
    this.#log = options.log;
    const refusal = endpoint.kind === 'unsupported' ? endpoint.reason : remoteRefused;
    const isUsed = endpoint.kind === 'local' || (endpoint.kind === 'remote' && options.allowRemote === true);
    this.api = isUsed ? new EngineApi(endpoint) : null;
    this.#state = isUsed
      ? { available: false, looking: true, reason: 'The container engine is being looked for.' }
      : { available: false, looking: false, reason: refusal };
  }

  get state(): EngineState {
    return this.#state;
  }

  /** Plain sentences about what is old or missing. */
  warnings(): readonly string[] {
    return this.#state.available ? engineWarnings(this.#state.facts) : [];
  }

  /** Announces that `state` changed. Returns the function that ends it. */
  onChange(listener: () => void): () => void {
    return this.#changed.onChange(listener);
  }

  /** Resolves when it is known whether an engine is there. */
  start(): Promise<void> {
    const { api } = this;
    if (api === null) return Promise.resolve();
    this.#ending = new AbortController();
    return new Promise((resolve) => {
      this.#onFirstLook = resolve;
      this.#watching = this.#watch(api, this.#ending.signal).finally(resolve);
    });
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#watching;
    this.api?.close();
  }

  async #watch(api: EngineApi, signal: AbortSignal): Promise<void> {
    let retryMs = firstRetryMs;
    while (!signal.aborted) {
      try {
        await this.#look(api, signal);
        retryMs = firstRetryMs;
        await this.#untilItEnds(api, signal);
        if (!signal.aborted) this.#set({ available: false, looking: false, reason: 'The container engine stopped.' });
      } catch (error) {
        const reason = error instanceof Error ? `${error.message}.` : 'The container engine does not answer.';
        if (!signal.aborted) this.#set({ available: false, looking: false, reason });
      }
      this.#onFirstLook();
      api.forget();
      await sleep(retryMs, undefined, { signal }).catch(() => {});
      retryMs = Math.min(retryMs * 2, longestRetryMs);
    }
  }

  async #look(api: EngineApi, signal: AbortSignal): Promise<void> {
    const [info, version] = await Promise.all([
      api.json({ method: 'GET', path: '/info', timeoutMs: lookTimeoutMs, signal }, infoSchema),
      api.json({ method: 'GET', path: '/version', timeoutMs: lookTimeoutMs, signal }, versionSchema),
    ]);
    this.#set({ available: true, facts: engineFacts(info, version) });
    this.#onFirstLook();
  }

  /** Returns when the engine ends the stream of its own events, or hangs. Runtimes come and go with a reload. */
  async #untilItEnds(api: EngineApi, signal: AbortSignal): Promise<void> {
    const query = { filters: JSON.stringify({ type: ['daemon'] }) };
    const hung = new AbortController();
    const pulse = setInterval(() => {
      api.send({ method: 'GET', path: '/_ping', timeoutMs: lookTimeoutMs, signal }).catch(() => hung.abort());
    }, pulseMs);
    const either = AbortSignal.any([signal, hung.signal]);
    try {
      for await (const _event of api.lines({ method: 'GET', path: '/events', query, signal: either })) {
        await this.#look(api, signal);
      }
    } catch (error) {
      throw hung.signal.aborted ? new EngineError(0, 'The container engine does not answer') : error;
    } finally {
      clearInterval(pulse);
    }
  }

  #set(state: EngineState): void {
    const isSame = JSON.stringify(state) === JSON.stringify(this.#state);
    this.#state = state;
    if (isSame) return;
    if (state.available) this.#log.info({ version: state.facts.version }, 'the container engine answers');
    // Having none is nothing unusual; what needs one says so.
    else this.#log.debug({ reason: state.reason }, 'no container engine');
    this.#changed.emit();
  }
}

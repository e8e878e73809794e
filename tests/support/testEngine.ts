import { setTimeout as delay } from 'node:timers/promises';
import { inject } from 'vitest';
import { z } from 'zod';
import type { Isolation } from '../../contract/runtime.ts';
import { containerLabels } from '../../main/backends/docker/containerSpec.ts';
import { EngineApi, EngineError } from '../../main/backends/docker/engineApi.ts';
import type { UsableEngine } from '../../scripts/setup/containerEngine.ts';

const POLL_MS = 25;

const listSchema = z.array(
  z.looseObject({ Id: z.string(), State: z.string(), Image: z.string(), Labels: z.record(z.string(), z.string()) }),
);

export type ContainerFacts = Readonly<{
  id: string;
  /** As the engine says it: `created`, `running`, `exited`, ... */
  state: string;
  image: string;
  labels: Readonly<Record<string, string>>;
}>;

/** The engine of this test run. Only in tests of the project `docker`. */
export const engineUnderTest = (): UsableEngine => {
  const engine = inject('engine');
  if (engine === null) throw new Error('only the tests of the project docker have a container engine');
  return engine;
};

/** The isolation levels that can be played here; in CI always both. */
export const isolationsUnderTest = (): readonly Extract<Isolation, 'container' | 'gvisor'>[] =>
  engineUnderTest().gvisor ? ['container', 'gvisor'] : ['container'];

/** What an outsider sees of the engine, whatever the app says. */
export type TestEngine = Readonly<{
  facts: UsableEngine;
  /** Containers in any state that one installation made. */
  containersOf(installId: string): Promise<readonly ContainerFacts[]>;
  /** Containers in any state that carry the label of this app, whoever made them. */
  containers(): Promise<readonly ContainerFacts[]>;
  /** All that `docker inspect` tells; null when there is no such container. */
  inspect(id: string): Promise<Readonly<Record<string, unknown>> | null>;
  /** Waits until nothing of an installation is left; rejects with what is, after `timeoutMs`. */
  untilNoneOf(installId: string, timeoutMs?: number): Promise<void>;
  /** Waits until `wanted` says yes; rejects with the last look after `timeoutMs`. */
  until(
    installId: string,
    wanted: (containers: readonly ContainerFacts[]) => boolean,
    timeoutMs?: number,
  ): Promise<readonly ContainerFacts[]>;
  /** Removes what an installation left behind, for the end of a test that kills its house. */
  removeAllOf(installId: string): Promise<void>;
  close(): void;
}>;

export const openTestEngine = (): TestEngine => {
  const facts = engineUnderTest();
  const api = new EngineApi({ kind: 'local', socketPath: facts.socketPath });

  const list = async (label: string): Promise<readonly ContainerFacts[]> => {
    const query = { all: '1', filters: JSON.stringify({ label: [label] }) };
    const found = await api.json({ method: 'GET', path: '/containers/json', query }, listSchema);
    return found.map(({ Id, State, Image, Labels }) => ({ id: Id, state: State, image: Image, labels: Labels }));
  };
  const containersOf = (installId: string) => list(`${containerLabels.install}=${installId}`);

  const until: TestEngine['until'] = async (installId, wanted, timeoutMs = 30_000) => {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const now = await containersOf(installId);
      if (wanted(now)) return now;
      if (performance.now() > deadline) {
        throw new Error(`not as expected after ${timeoutMs} ms: ${JSON.stringify(now)}`);
      }
      await delay(POLL_MS);
    }
  };

  return {
    facts,
    containersOf,
    containers: () => list(containerLabels.app),
    inspect: (id) =>
      api
        .json({ method: 'GET', path: `/containers/${id}/json` }, z.record(z.string(), z.unknown()))
        .catch((error: unknown) => {
          if (error instanceof EngineError && error.status === 404) return null;
          throw error;
        }),
    untilNoneOf: async (installId, timeoutMs) => {
      await until(installId, (containers) => containers.length === 0, timeoutMs);
    },
    until,
    removeAllOf: async (installId) => {
      for (const { id } of await containersOf(installId)) {
        await api.send({ method: 'DELETE', path: `/containers/${id}`, query: { force: '1', v: '1' } });
      }
    },
    close: () => api.close(),
  };
};

import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { containerLabels } from '../main/backends/docker/containerSpec.ts';
import type { EngineApi } from '../main/backends/docker/engineApi.ts';

const pollMs = 50;
const longestWaitMs = 15_000;

const listSchema = z.array(
  z.looseObject({ ImageID: z.string(), State: z.string(), Labels: z.record(z.string(), z.string()) }),
);

/** Sees from outside whether the containers of one broker stand ready: those of installations that come after this. */
export async function openWarmth(api: EngineApi) {
  const list = () => {
    const query = { all: '1', filters: JSON.stringify({ label: [containerLabels.app] }) };
    return api.json({ method: 'GET', path: '/containers/json', query }, listSchema);
  };
  const before = new Set((await list()).map(({ Labels }) => Labels[containerLabels.install]));
  return {
    /**
     * Waits until `count` containers of the image run, nothing of it is being removed, and their runners have had
     * `startMs` to come up. Gives up after 15 s: then the next run is simply slower.
     */
    async untilReady(imageId: string, count: number, startMs: number): Promise<void> {
      const deadline = performance.now() + longestWaitMs;
      for (;;) {
        const ours = (await list()).filter(({ Labels }) => !before.has(Labels[containerLabels.install]));
        const states = ours.filter(({ ImageID }) => ImageID === imageId).map(({ State }) => State);
        const isReady = states.length === count && states.every((state) => state === 'running');
        if (isReady || performance.now() > deadline) break;
        await delay(pollMs);
      }
      await delay(startMs);
    },
  };
}
export type Warmth = Awaited<ReturnType<typeof openWarmth>>;

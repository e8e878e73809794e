import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { DockerBackend } from './backends/docker/dockerBackend.ts';
import { engineEndpoint } from './backends/docker/endpoint.ts';
import { Engine } from './backends/docker/engine.ts';
import { ImageBook } from './backends/docker/images/imageBook.ts';
import { readImageFiles } from './backends/docker/images/imageFiles.ts';
import { StoredMadeImages } from './backends/docker/images/madeImages.ts';
import { PackagesSource } from './backends/docker/images/packagesSource.ts';
import { RegistrySource } from './backends/docker/images/registrySource.ts';
import { Reaper } from './backends/docker/reaper.ts';
import { runnerFile } from './backends/docker/runnerFile.ts';
import { runtimeTable } from './backends/docker/runtimeTable.ts';
import type { BrokerOptions } from './broker.ts';
import { sha256Hex } from './core/digest.ts';
import { makeProxyFrontEnd } from './egress/proxy/frontEnd.ts';
import type { Books } from './houseBooks.ts';
import type { Backend } from './runs/backend.ts';
import { packageFolder } from './startup.ts';
import type { StopList } from './stopList.ts';

/** Weakest first. */
const levels = ['container', 'gvisor', 'kata'] as const;
const stopSandboxesMs = 15_000;

/** What a container engine adds to the house. */
export type Containers = Readonly<{
  /** Weakest isolation first. */
  backends: readonly Backend[];
  /** Why there are none, as a sentence; null: there are. */
  absent: string | null;
  /** What the owner should know about the engine, a plain sentence each. */
  warnings: () => readonly string[];
  /** Memory of the engine's machine, bytes; null while none answers. */
  memTotal: () => number | null;
  /** Resolves once it is known whether an engine is there, which images it has, and whether a sandbox stands ready. */
  start: () => Promise<void>;
}>;

/** Everything about containers, not started yet. */
export async function openContainers(
  { config, cacheDir, dataDir }: Pick<BrokerOptions, 'config' | 'cacheDir' | 'dataDir'>,
  { records, settings, clock, random, log }: Books,
  stops: StopList,
): Promise<Containers> {
  const folder = packageFolder();
  const files = await readImageFiles(runnerFile(folder), runtimeTable).catch(() => null);
  if (files === null) return noContainers('The program that runs inside containers is not built. Run: npm run build');
  const endpoint = engineEndpoint(config.dockerHost, process.platform);
  const engine = new Engine({ endpoint, allowRemote: settings.get('engine.allow_remote'), log });
  const { api } = engine;
  if (api === null) return noContainers(engine.state.available ? '' : engine.state.reason);
  const images = new ImageBook({
    engine: api,
    sources: [
      new RegistrySource(api, join(folder, 'sandbox', 'images')),
      new PackagesSource(api, join(cacheDir, 'images')),
    ],
    rows: runtimeTable,
    files,
    made: new StoredMadeImages(records),
    log,
    onMade: ({ runtime, variant, recipe, imageId, source }) => {
      const payload = { runtime, variant, recipe, image_id: imageId, source };
      records.appendAudit({ actor: 'broker', kind: 'image.made', payload }, clock.wallMs());
    },
  });
  const installId = installIdOf({ records, random }, dataDir);
  const reaper = new Reaper({ engine, installId, log });
  const backends = levels.map(
    (isolation) =>
      new DockerBackend({
        isolation,
        engine,
        images,
        makeFrontEnd: () => makeProxyFrontEnd({ log, clock }),
        installId,
        poolSize: settings.get('pool.size'),
        runner: files.runner,
        log,
        clock,
      }),
  );
  let isStopping = false;
  stops.add('container engine', () => engine.stop());
  stops.add('images', () => images.stop());
  stops.add('reaper', () => reaper.stop());
  stops.add(
    'containers',
    async () => {
      isStopping = true;
      await Promise.all(backends.map((backend) => backend.stop()));
    },
    stopSandboxesMs,
  );
  engine.onChange(() => {
    // Another engine, or one that was away: what it has may be something else.
    if (engine.state.available) void images.refresh().catch(() => {});
  });
  return {
    backends,
    absent: null,
    warnings: () => engine.warnings(),
    memTotal: () => (engine.state.available ? engine.state.facts.memTotal : null),
    async start() {
      const steps = [
        () => engine.start(),
        // Before anything of ours is made: what is there now is from before.
        () => reaper.start(),
        async () => void (engine.state.available && (await images.refresh().catch(() => {}))),
        async () => void (await Promise.all(backends.map((backend) => backend.start()))),
      ];
      // The app may be closed at any step: what starts after that would be left behind.
      for (const step of steps) if (!isStopping) await step();
    },
  };
}

const noContainers = (absent: string): Containers => ({
  backends: [],
  absent,
  warnings: () => [],
  memTotal: () => null,
  start: () => Promise.resolve(),
});

const installIdBytes = 16;

/**
 * Whose containers are ours, on an engine that others use as well. The place of the folder is a part of it: a copy of
 * the folder is another installation, which must not end our containers.
 */
function installIdOf({ records, random }: Pick<Books, 'records' | 'random'>, dataDir: string): string {
  const name = 'install_id';
  const stored = records.state(name);
  const own = typeof stored === 'string' ? stored : Buffer.from(random(installIdBytes)).toString('hex');
  if (own !== stored) records.setState(name, own);
  return sha256Hex(`${own} ${realpathSync(dataDir)}`).slice(0, 32);
}

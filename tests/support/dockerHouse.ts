import path from 'node:path';
import type { Runtime } from '../../contract/runtime.ts';
import { DockerBackend } from '../../main/backends/docker/dockerBackend.ts';
import { type EngineEndpoint, engineEndpoint } from '../../main/backends/docker/endpoint.ts';
import { Engine } from '../../main/backends/docker/engine.ts';
import { ImageBook } from '../../main/backends/docker/images/imageBook.ts';
import { readImageFiles } from '../../main/backends/docker/images/imageFiles.ts';
import { PackagesSource } from '../../main/backends/docker/images/packagesSource.ts';
import type {
  ContainerIsolation,
  MakeFrontEnd,
  SandboxImage,
  SandboxImages,
} from '../../main/backends/docker/ports.ts';
import { runtimeTable } from '../../main/backends/docker/runtimeTable.ts';
import { madeInMemory } from '../../main/backends/docker/testing.ts';
import type { Clock } from '../../main/core/clock.ts';
import { type Log, silentLog } from '../../main/core/log.ts';
import { systemClock } from '../../main/core/systemClock.ts';
import { makeProxyFrontEnd } from '../../main/egress/proxy/frontEnd.ts';
import { cacheDirectory } from '../../scripts/setup/checkout.ts';
import { ensureRunnerBuilt } from '../../scripts/setup/runnerBuild.ts';
import { namedEngine } from '../../scripts/test/engine.ts';

/** What the sandboxes of a test need and share: made once, for one engine. */
export type DockerHouse = Readonly<{
  engine: Engine;
  installId: string;
  backend(options?: BackendChoice): DockerBackend;
  /** One that runs everything in this image, whatever it is, and holds none ready. */
  backendOf(image: SandboxImage): DockerBackend;
  close(): Promise<void>;
}>;

export type BackendChoice = Readonly<{
  isolation?: ContainerIsolation;
  /** Default 1. */
  poolSize?: number;
  installId?: string;
  makeFrontEnd?: MakeFrontEnd;
  clock?: Clock;
  log?: Log;
}>;

/** Where the engine of this test run listens. */
export const testEndpoint = (): EngineEndpoint => engineEndpoint(namedEngine ?? null, process.platform);

/** An install id that no other test has. */
export const someInstallId = (): string => `test-${crypto.randomUUID()}`;

/**
 * The engine of this test run with images of these runtimes, made if it has none. The caller stops its backends, then
 * closes the house.
 */
export async function openDockerHouse(
  runtimes: readonly Runtime[],
  isolations: readonly ContainerIsolation[] = ['container'],
  endpoint = testEndpoint(),
): Promise<DockerHouse> {
  const engine = new Engine({ endpoint, log: silentLog });
  await engine.start();
  if (engine.api === null || !engine.state.available) throw new Error('no container engine answers');
  const rows = runtimeTable.filter(({ runtime }) => runtimes.includes(runtime));
  const files = await readImageFiles(await ensureRunnerBuilt(), rows);
  const images = new ImageBook({
    engine: engine.api,
    // Public images need a registry and have another id each time; these need none and are the same in every test run.
    sources: [new PackagesSource(engine.api, path.join(cacheDirectory, 'images'))],
    rows,
    files,
    made: madeInMemory(),
    log: silentLog,
    onMade: () => {},
  });
  await images.refresh();
  const wanted = runtimes.flatMap((runtime) => isolations.map((isolation) => ({ runtime, isolation })));
  for (const { runtime, isolation } of wanted) images.prepare(runtime, isolation);
  await new Promise<void>((resolve, reject) => {
    const look = (): void => {
      const missing = wanted.map((each) => images.status(each.runtime, each.isolation)).filter(({ ready }) => !ready);
      if (missing.length === 0) resolve();
      for (const status of missing) if (!status.ready && !status.coming) reject(new Error(status.reason));
    };
    images.onChange(look);
    look();
  });
  const installId = someInstallId();
  const backendWith = (
    { isolation = 'container', poolSize = 1, makeFrontEnd, log = silentLog, ...more }: BackendChoice,
    book: SandboxImages,
  ): DockerBackend =>
    new DockerBackend({
      isolation,
      engine,
      images: book,
      makeFrontEnd: makeFrontEnd ?? (() => makeProxyFrontEnd({ log, clock: systemClock })),
      installId: more.installId ?? installId,
      poolSize,
      runner: files.runner,
      log,
      ...(more.clock === undefined ? {} : { clock: more.clock }),
    });
  return {
    engine,
    installId,
    backend: (choice = {}) => backendWith(choice, images),
    backendOf: (image) =>
      backendWith(
        { poolSize: 0 },
        {
          runtimes,
          status: () => ({ ready: true }),
          image: () => image,
          recipe: () => image.recipe,
          prepare: () => {},
          refresh: () => Promise.resolve(),
          onChange: () => () => {},
        },
      ),
    async close() {
      await images.stop();
      await engine.stop();
    },
  };
}

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Runtime } from '../../contract/runtime.ts';
import { DockerBackend } from '../../main/backends/docker/dockerBackend.ts';
import { engineEndpoint } from '../../main/backends/docker/endpoint.ts';
import { Engine } from '../../main/backends/docker/engine.ts';
import type { ContainerIsolation, SandboxImage, SandboxImages } from '../../main/backends/docker/ports.ts';
import { sha256Hex } from '../../main/core/digest.ts';
import type { EgressDoor } from '../../main/core/door.ts';
import { type Log, silentLog } from '../../main/core/log.ts';
import { systemClock } from '../../main/core/systemClock.ts';
import { makeProxyFrontEnd } from '../../main/egress/proxy/frontEnd.ts';
import type { SandboxExit } from '../../main/runs/backend.ts';
import { anyTunnel } from '../../main/runs/testDoor.ts';

const runner = readFileSync(fileURLToPath(new URL('../../out/sandbox/runner.mjs', import.meta.url)));
export const runnerSha256 = sha256Hex(runner);

const imageList = z.array(
  z.looseObject({ Id: z.string(), Created: z.number(), Labels: z.record(z.string(), z.string()) }),
);

/** Images that an engine has already, by their labels. */
export class FoundImages implements SandboxImages {
  readonly runtimes: readonly Runtime[] = ['deno', 'node', 'python'];
  readonly #found: ReadonlyMap<string, SandboxImage>;

  private constructor(found: ReadonlyMap<string, SandboxImage>) {
    this.#found = found;
  }

  static async on(engine: Engine): Promise<FoundImages> {
    const filters = JSON.stringify({ label: ['oauth3.recipe'] });
    const list = await engine.api?.json({ method: 'GET', path: '/images/json', query: { filters } }, imageList);
    const found = (list ?? []).map(({ Id, Labels }): [string, SandboxImage] => [
      `${Labels['oauth3.runtime']} ${Labels['oauth3.variant']}`,
      { id: Id, recipe: `recipe:${Labels['oauth3.recipe']}` },
    ]);
    return new FoundImages(new Map(found.reverse()));
  }

  status(runtime: Runtime, isolation: ContainerIsolation) {
    return this.image(runtime, isolation) === null
      ? ({ ready: false, coming: false, reason: `there is no image for ${runtime}; npm run images makes it` } as const)
      : ({ ready: true } as const);
  }

  image(runtime: Runtime, isolation: ContainerIsolation): SandboxImage | null {
    return this.#found.get(`${runtime} ${isolation === 'gvisor' ? 'readable' : 'sealed'}`) ?? null;
  }

  recipe(runtime: Runtime, isolation: ContainerIsolation): string {
    return this.image(runtime, isolation)?.recipe ?? `recipe:${'0'.repeat(64)}`;
  }

  prepare(): void {}

  onChange(): () => void {
    return () => {};
  }
}

/** The engine that tests use: OAUTH3_TEST_ENGINE (as DOCKER_HOST is written), else the default one. */
export function testEngine(log: Log = silentLog, dockerHost = process.env.OAUTH3_TEST_ENGINE ?? null): Engine {
  const endpoint = engineEndpoint(dockerHost, process.platform);
  return new Engine({ endpoint, log });
}

export const closedDoor: EgressDoor = {
  ...anyTunnel,
  request: () => Promise.reject(new Error('there is nothing behind this door')),
};

export type ProgramOptions = Readonly<{
  env?: Readonly<Record<string, string>>;
  egress?: EgressDoor;
  signal?: AbortSignal;
  timeoutMs?: number;
  memoryMb?: number;
  cpus?: number;
}>;

export type Ran = Readonly<{ exit: SandboxExit; stdout: string; stderr: string; outputBytes: number }>;

const keptBytes = 4 * 1024 * 1024;

/** An install id that no other test has. */
export const someInstallId = (): string => `test-${crypto.randomUUID()}`;

/** A backend on an engine that was started, with the images that it has. */
export async function dockerBackendOn(
  engine: Engine,
  options: Readonly<{ isolation?: ContainerIsolation; poolSize?: number; installId?: string; log?: Log }> = {},
): Promise<DockerBackend> {
  const log = options.log ?? silentLog;
  return new DockerBackend({
    isolation: options.isolation ?? 'container',
    engine,
    images: await FoundImages.on(engine),
    makeFrontEnd: () => makeProxyFrontEnd({ log, clock: systemClock }),
    installId: options.installId ?? someInstallId(),
    poolSize: options.poolSize ?? 1,
    runner: { sha256: runnerSha256 },
    log,
  });
}

/** Runs code in a backend. Output beyond 4 MiB is counted and not kept. */
export async function runProgram(
  backend: DockerBackend,
  runtime: Runtime,
  code: string,
  options: ProgramOptions = {},
): Promise<Ran> {
  const kept: Record<'stdout' | 'stderr', Uint8Array[]> = { stdout: [], stderr: [] };
  let outputBytes = 0;
  const keeper = (name: 'stdout' | 'stderr') => (chunk: Uint8Array) => {
    outputBytes += chunk.byteLength;
    if (outputBytes <= keptBytes) kept[name].push(chunk);
  };
  const exit = await backend.run(
    {
      runId: 'run_test',
      runtime,
      code: new TextEncoder().encode(code),
      env: options.env ?? {},
      limits: {
        timeoutMs: options.timeoutMs ?? 30_000,
        memoryMb: options.memoryMb ?? 256,
        cpus: options.cpus ?? 0.5,
      },
    },
    {
      stdout: keeper('stdout'),
      stderr: keeper('stderr'),
      egress: options.egress ?? closedDoor,
      signal: options.signal ?? new AbortController().signal,
    },
  );
  const text = (name: 'stdout' | 'stderr'): string => Buffer.concat(kept[name]).toString('utf8');
  return { exit, stdout: text('stdout'), stderr: text('stderr'), outputBytes };
}

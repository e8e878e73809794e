import { afterEach, describe, expect, it } from 'vitest';
import type { Runtime } from '../../../contract/runtime.ts';
import { silentLog } from '../../core/log.ts';
import type { BackendStatus } from '../../runs/backend.ts';
import { anyTunnel } from '../../runs/testDoor.ts';
import { DockerBackend } from './dockerBackend.ts';
import { Engine } from './engine.ts';
import type { ContainerIsolation, SandboxImage, SandboxImages } from './ports.ts';
import { seccompSha256 } from './seccompProfile.ts';
import { answerJson, FakeEngine, infoOf } from './testing.ts';

/** Images as the test says they are. */
class FakeImages implements SandboxImages {
  readonly runtimes: readonly Runtime[] = ['node', 'python'];
  readonly prepared: string[] = [];
  refreshed = 0;
  readonly #listeners = new Set<() => void>();
  #image: SandboxImage | null = null;

  status(runtime: Runtime): BackendStatus {
    return this.#image === null ? { ready: false, coming: true, reason: `${runtime} is being made` } : { ready: true };
  }
  image(): SandboxImage | null {
    return this.#image;
  }
  recipe(): string {
    return 'recipe:1';
  }
  prepare(runtime: Runtime, isolation: ContainerIsolation): void {
    this.prepared.push(`${runtime} ${isolation}`);
  }
  async refresh(): Promise<void> {
    this.refreshed += 1;
  }
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  set(image: SandboxImage | null): void {
    this.#image = image;
    for (const listener of this.#listeners) listener();
  }
}

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function open(options: Readonly<{ isolation?: ContainerIsolation; info?: object; poolSize?: number }> = {}) {
  const fake = new FakeEngine();
  fake.on('GET /info', answerJson(infoOf({ ...options.info })));
  await fake.start();
  ends.push(() => fake.stop());
  const engine = new Engine({ endpoint: fake.endpoint, log: silentLog });
  ends.push(() => engine.stop());
  const images = new FakeImages();
  const backend = new DockerBackend({
    isolation: options.isolation ?? 'container',
    engine,
    images,
    makeFrontEnd: () => Promise.reject(new Error('none in this test')),
    installId: 'install',
    poolSize: options.poolSize ?? 0,
    runner: { sha256: 'r'.repeat(64) },
    log: silentLog,
  });
  ends.push(() => backend.stop());
  return { fake, engine, images, backend };
}

const made: SandboxImage = { id: 'sha256:1', recipe: 'recipe:1' };

describe('the container backend', () => {
  it('is coming while the engine is being looked for and the image is made, then ready', async () => {
    const { engine, images, backend } = await open();
    expect(backend.status('node')).toMatchObject({ ready: false, coming: true });
    await engine.start();
    await backend.start();
    let changes = 0;
    const unsubscribe = backend.onChange(() => {
      changes += 1;
    });
    expect(backend.status('node')).toEqual({ ready: false, coming: true, reason: 'node is being made' });
    images.set(made);
    expect(backend.status('node')).toEqual({ ready: true });
    expect(changes).toBe(1);
    unsubscribe();
    expect(backend.status('deno')).toMatchObject({ ready: false, coming: false });
  });

  it('is not ready, with the reason, when the engine is away or lacks what it needs', async () => {
    const gone = await open();
    await gone.fake.stop();
    await gone.engine.start();
    expect(gone.backend.status('node')).toMatchObject({ ready: false, coming: false });
    const plain = await open({ isolation: 'gvisor' });
    await plain.engine.start();
    plain.images.set(made);
    expect(plain.backend.status('node')).toMatchObject({ ready: false, reason: expect.stringContaining('gVisor') });
  });

  it('names the image that carries a run, or the recipe of the one to come', async () => {
    const { images, backend } = await open();
    const carried = { runner: 'r'.repeat(64), seccomp: seccompSha256 };
    const promised = { image: 'recipe:1', ...carried };
    expect(backend.carrier('node')).toEqual(promised);
    expect(backend.carries('node', promised)).toBe(true);
    images.set(made);
    expect(backend.carrier('node')).toEqual({ image: 'sha256:1', ...carried });
    expect(backend.carries('node', { image: 'sha256:1', ...carried })).toBe(true);
    // Approved while it was being made.
    expect(backend.carries('node', promised)).toBe(true);
    images.set({ id: 'sha256:2', recipe: 'recipe:2' });
    expect(backend.carries('node', promised)).toBe(false);
    expect(backend.carries('node', { image: 'sha256:1', ...carried })).toBe(false);
    expect(backend.carries('node', { image: 'sha256:2', ...carried, runner: 'x' })).toBe(false);
    expect(backend.carries('node', { image: 'sha256:2', ...carried, seccomp: '' })).toBe(false);
  });

  it('asks for images of its own isolation level, and of runtimes that it has', async () => {
    const { images, backend } = await open({ isolation: 'gvisor' });
    backend.prepare('node');
    backend.prepare('deno');
    expect(images.prepared).toEqual(['node gvisor']);
  });

  it('says what its level does not enforce on this engine', async () => {
    const { engine, backend } = await open({ isolation: 'gvisor', info: { Runtimes: { runsc: {} } } });
    expect(backend.notes()).toEqual([]);
    await engine.start();
    expect(backend.notes()).toEqual([expect.stringContaining('seccomp')]);
  });

  it('tells why no container can be made ready, ends a run with that, and looks whether the image is still there', async () => {
    const { engine, images, backend } = await open({ poolSize: 1 });
    await engine.start();
    images.set(made);
    await backend.start();
    expect(backend.status('node')).toMatchObject({
      ready: false,
      reason: expect.stringContaining('none in this test'),
    });
    const before = images.refreshed;
    const exit = await backend.run(
      {
        runId: 'run_1',
        runtime: 'node',
        code: new Uint8Array(0),
        env: {},
        limits: { timeoutMs: 1000, memoryMb: 64, cpus: 1 },
      },
      {
        stdout: () => {},
        stderr: () => {},
        egress: { ...anyTunnel, request: () => Promise.reject(new Error('none')) },
        signal: new AbortController().signal,
      },
    );
    expect(exit).toEqual({ kind: 'broken', message: expect.stringContaining('none in this test') });
    expect(engine.live.size).toBe(0);
    expect(images.refreshed).toBeGreaterThan(before);
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../core/log.ts';
import { Engine } from './engine.ts';
import { EngineError } from './engineApi.ts';
import { answerJson, answerNever, FakeEngine, infoOf } from './testing.ts';

const fakes: FakeEngine[] = [];
const engines: Engine[] = [];
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.stop()));
  await Promise.all(fakes.splice(0).map((fake) => fake.stop()));
});

async function startedFake(): Promise<FakeEngine> {
  const fake = new FakeEngine();
  fakes.push(fake);
  await fake.start();
  return fake;
}

function watch(fake: Pick<FakeEngine, 'endpoint'>): Engine {
  const engine = new Engine({ endpoint: fake.endpoint, log: silentLog });
  engines.push(engine);
  return engine;
}

/** Resolves when the engine is seen as `available`. */
function untilAvailable(engine: Engine, available: boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (engine.state.available !== available) return;
      unsubscribe();
      resolve();
    };
    const unsubscribe = engine.onChange(look);
    look();
  });
}

describe('the container engine', () => {
  it('is being looked for until it was asked, then it is known', async () => {
    const engine = watch(await startedFake());
    expect(engine.state).toMatchObject({ available: false, looking: true });
    await engine.start();
    expect(engine.state).toEqual({
      available: true,
      facts: {
        version: '29.4.2',
        runcVersion: '1.3.3',
        cgroup: '2',
        seccomp: true,
        limits: { memory: true, swap: true, cpu: true, processes: true },
        runtimes: { container: { name: 'runc', args: [] } },
        memTotal: 8_000_000_000,
        osType: 'linux',
        desktop: null,
      },
    });
    expect(engine.warnings()).toEqual([]);
  });

  it('is not there when nothing listens, with a reason for the owner', async () => {
    const engine = watch(new FakeEngine());
    await engine.start();
    expect(engine.state).toEqual({
      available: false,
      looking: false,
      reason: 'The container engine does not answer: no container engine is running.',
    });
  });

  it('is seen going and coming back', async () => {
    const fake = await startedFake();
    const engine = watch(fake);
    await engine.start();
    await fake.stop();
    await untilAvailable(engine, false);
    await fake.start();
    await untilAvailable(engine, true);
  });

  it('is asked again when its configuration was loaded again', async () => {
    const fake = await startedFake();
    let reload = (): void => {};
    fake.on('GET /events', (response) => {
      response.writeHead(200).flushHeaders();
      reload = () => void response.write('{"Type":"daemon","Action":"reload"}\n');
    });
    const engine = watch(fake);
    await engine.start();
    while (!fake.calls.includes('GET /events')) await new Promise(setImmediate);
    fake.on('GET /info', answerJson(infoOf({ Runtimes: { runc: {}, runsc: { path: '/usr/bin/runsc' } } })));
    const changed = new Promise<void>((resolve) => engine.onChange(resolve));
    reload();
    await changed;
    expect(engine.state.available && engine.state.facts.runtimes.gvisor).toEqual({ name: 'runsc', args: [] });
  });

  it('is refused on another machine unless the owner allowed it', () => {
    const endpoint = { kind: 'remote', host: '192.0.2.1', port: 2375 } as const;
    const refused = new Engine({ endpoint, log: silentLog });
    expect(refused.api).toBeNull();
    expect(refused.state).toMatchObject({
      available: false,
      looking: false,
      reason: expect.stringContaining('another machine'),
    });
    expect(new Engine({ endpoint, allowRemote: true, log: silentLog }).api).not.toBeNull();
    const ssh = new Engine({ endpoint: { kind: 'unsupported', reason: 'not over ssh' }, log: silentLog });
    expect(ssh.state).toMatchObject({ reason: 'not over ssh' });
  });

  it('I165 that hangs costs a call its time and no more', async () => {
    const fake = await startedFake();
    const engine = watch(fake);
    await engine.start();
    fake.on('GET /containers/json', answerNever);
    const call = engine.api?.send({ method: 'GET', path: '/containers/json', timeoutMs: 50 });
    await expect(call).rejects.toThrow(EngineError);
  });

  it('I165 that says it is something else is not used', async () => {
    const fake = await startedFake();
    fake.on('GET /info', answerJson(['not', 'facts']));
    const engine = watch(fake);
    await engine.start();
    expect(engine.state.available).toBe(false);
  });
});

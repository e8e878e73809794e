import { afterEach, describe, expect, it } from 'vitest';
import type { Store } from '../../main/store/store.ts';
import {
  addAgent,
  addSecret,
  approved,
  auditKinds,
  bytes,
  openRunHouse,
  type RunHouse,
  run,
  type Step,
  status,
  until,
  untilFinal,
} from '../support/runHouse.ts';

const houses: RunHouse[] = [];
afterEach(async () => {
  for (const house of houses.splice(0)) await house.end();
});

function openHouse(broken: Partial<Store> = {}): RunHouse {
  const house = openRunHouse(broken);
  houses.push(house);
  return house;
}

describe('a run', () => {
  it('gets the approved bytes, stand-ins for secrets and its arguments, and its output is kept without secrets', async () => {
    const house = openHouse();
    const secretId = addSecret(house, 'API_KEY');
    const value = house.values.get(secretId)?.value ?? '';
    house.backend.script = async (_job, io) => {
      for (const character of `got ${value}\n`) io.stdout(bytes(character));
      io.stderr(bytes(Buffer.from(value).toString('base64')));
      return { kind: 'exited', exitCode: 3 };
    };
    const id = await run(house, { code: 'the code', secrets: ['API_KEY'] });
    const [job] = house.backend.jobs;
    expect(new TextDecoder().decode(job?.code)).toBe('the code');
    expect(job?.env.SKILL_ARGS).toBe('{"n":1}');
    expect(Object.keys(job?.env ?? {}).sort()).toEqual(['API_KEY', 'SKILL_ARGS']);
    expect(job?.env.API_KEY).toContain('oauth3');
    expect(JSON.stringify(job?.env)).not.toContain(value);
    expect(house.sessions[0]?.secrets).toMatchObject([
      { name: 'API_KEY', value, placeholder: job?.env.API_KEY, headers: ['x-api-key'] },
    ]);
    expect(house.store.request(id)).toMatchObject({ status: 'failed', error: null });
    expect(house.store.result(id)).toMatchObject({
      stdout: 'got [redacted]\n',
      stderr: '[redacted]',
      exitCode: 3,
      redactions: 2,
      truncated: false,
      timedOut: false,
    });
  });

  it('F116 tells what broke its sandbox without secrets', async () => {
    const house = openHouse();
    const value = house.values.get(addSecret(house, 'API_KEY'))?.value ?? '';
    house.backend.script = () => Promise.reject(new Error(`cannot start with ${value}`));
    const id = await run(house, { secrets: ['API_KEY'] });
    expect(house.store.request(id)?.error?.message).toBe('cannot start with [redacted]');
  });

  it('gets the real value only of a secret with raw delivery, and that one stays out of the gateway', async () => {
    const house = openHouse();
    const id = addSecret(house, 'SIGNING_KEY', 'raw');
    await run(house, { secrets: ['SIGNING_KEY'] });
    expect(house.backend.jobs[0]?.env.SIGNING_KEY).toBe(house.values.get(id)?.value);
    expect(house.sessions[0]?.secrets).toEqual([]);
  });

  it('is on record as running before anything of it runs', async () => {
    const house = openHouse();
    let seen: string | undefined;
    const id = approved(house);
    house.backend.script = async () => {
      seen = status(house, id);
      return { kind: 'exited', exitCode: 0 };
    };
    house.scheduler.enqueue(id);
    await untilFinal(house, id);
    expect(seen).toBe('running');
    expect(status(house, id)).toBe('success');
  });

  it('L185 happens once, however often it is asked for', async () => {
    const house = openHouse();
    const id = approved(house);
    house.switches.paused = true;
    for (let times = 0; times < 5; times += 1) house.scheduler.enqueue(id);
    expect(house.scheduler.counts().queued).toBe(1);
    house.switches.paused = false;
    house.scheduler.pump();
    house.scheduler.enqueue(id);
    await untilFinal(house, id);
    house.scheduler.enqueue(id);
    expect(house.backend.jobs).toHaveLength(1);
  });

  it('wakes its agent, unless somebody waits for the answer', async () => {
    const house = openHouse();
    await run(house);
    expect(house.store.dueWakes(Date.now() + 1000, 10)).toHaveLength(1);
    house.switches.waiter = true;
    await run(house);
    expect(house.store.dueWakes(Date.now() + 1000, 10)).toHaveLength(1);
  });
});

describe('a run that has to end', () => {
  const hang: Step = () => new Promise(() => {});

  it('is stopped by its owner', async () => {
    const house = openHouse();
    const id = approved(house);
    await new Promise<void>((started) => {
      house.backend.script = () => {
        started();
        return new Promise(() => {});
      };
      house.scheduler.enqueue(id);
    });
    expect(status(house, id)).toBe('running');
    expect(house.scheduler.kill(id)).toBe(true);
    await untilFinal(house, id);
    expect(house.store.request(id)).toMatchObject({ status: 'failed', error: { code: 'killed' } });
    expect(house.scheduler.kill(id)).toBe(false);
  });

  it('does not start when it is stopped while the search for secrets is still being built', async () => {
    const house = openHouse();
    const id = approved(house);
    house.scheduler.enqueue(id);
    expect(status(house, id)).toBe('running');
    expect(house.scheduler.kill(id)).toBe(true);
    await untilFinal(house, id);
    expect(house.backend.jobs).toEqual([]);
    expect(house.store.request(id)).toMatchObject({ status: 'failed', error: { code: 'killed' } });
  });

  it('is stopped when it puts a secret where it may not go; its trust is suspended and the owner told', async () => {
    const house = openHouse();
    addSecret(house, 'API_KEY');
    house.backend.script = async () => {
      house.sessions[0]?.onTripwire({
        secrets: [{ secretId: 'x', name: 'API_KEY' }],
        method: 'GET',
        host: 'evil.example.com',
        port: 443,
        where: 'header',
        header: 'x-leak',
      });
      return { kind: 'exited', exitCode: 0 };
    };
    const id = await run(house, { secrets: ['API_KEY'], decision: 'forever' });
    expect(house.store.request(id)).toMatchObject({ status: 'failed', error: { code: 'secret_misplaced' } });
    expect(house.store.trustEntries()).toMatchObject([{ suspendReason: expect.stringContaining('evil.example.com') }]);
    expect(auditKinds(house)).toEqual(expect.arrayContaining(['run.tripwire', 'trust.suspended']));
    expect(house.notices).toEqual([expect.stringContaining('API_KEY')]);
  });

  it('is stopped when it only floods, and what it wrote is capped', async () => {
    const house = openHouse();
    house.backend.script = async (_job, io) => {
      const chunk = new Uint8Array(1024 * 1024).fill(0x61);
      for (let times = 0; times < 80 && !io.signal.aborted; times += 1) io.stdout(chunk);
      return { kind: 'exited', exitCode: 0 };
    };
    const id = await run(house);
    expect(house.store.request(id)).toMatchObject({ status: 'failed', error: { code: 'output_flood' } });
    expect(house.store.result(id)?.stdout).toHaveLength(1024 * 1024);
    expect(house.store.result(id)?.truncated).toBe(true);
  });

  it('survives a backend that breaks', async () => {
    const house = openHouse();
    house.backend.script = () => Promise.reject(new Error('the child is gone'));
    const id = await run(house);
    expect(house.store.request(id)).toMatchObject({ status: 'failed', error: { code: 'sandbox_broken' } });
  });

  it('K181 is interrupted by a shutdown, together with what never started, and runs never again', async () => {
    const house = openHouse();
    house.backend.script = hang;
    house.switches.concurrent = 1;
    const agentId = addAgent(house.store);
    const ids = [approved(house, { agentId }), approved(house, { agentId })];
    for (const id of ids) house.scheduler.enqueue(id);
    await until(house, ids[0] ?? '', (state) => state === 'running');
    await house.scheduler.stop();
    expect(ids.map((id) => status(house, id))).toEqual(['interrupted', 'interrupted']);
    for (const id of ids) house.scheduler.enqueue(id);
    expect(house.backend.jobs).toHaveLength(1);
  });
});

describe('a run whose sandbox is still being prepared', () => {
  const making = { ready: false, coming: true, busy: true, reason: 'The image is being made' } as const;

  it('waits in approved with the reason, and starts when it is ready', async () => {
    const house = openHouse();
    house.backend.become(making);
    const id = approved(house);
    house.scheduler.enqueue(id);
    expect(status(house, id)).toBe('approved');
    expect(house.scheduler.waitsFor(id)).toBe('The image is being made');
    expect(house.backend.prepared).toEqual(['quickjs']);
    house.backend.become({ ...making, reason: 'The image is being made: 40 %' });
    expect(status(house, id)).toBe('approved');
    expect(house.scheduler.waitsFor(id)).toBe('The image is being made: 40 %');
    house.backend.become({ ready: true });
    await untilFinal(house, id);
    expect(status(house, id)).toBe('success');
    expect(house.scheduler.waitsFor(id)).toBeNull();
  });

  it('fails with the reason when it cannot be prepared', async () => {
    const house = openHouse();
    house.backend.become(making);
    const id = approved(house);
    house.scheduler.enqueue(id);
    house.backend.become({ ready: false, coming: false, reason: 'nothing answers' });
    await untilFinal(house, id);
    expect(house.store.request(id)?.error).toEqual({ code: 'sandbox_unavailable', message: 'nothing answers' });
    expect(house.backend.jobs).toEqual([]);
  });

  it('holds up nobody else, and can be stopped by its owner', async () => {
    const house = openHouse();
    house.backend.become(making);
    const id = approved(house);
    house.scheduler.enqueue(id);
    expect(house.scheduler.counts()).toEqual({ running: 0, queued: 1 });
    expect(house.scheduler.kill(id)).toBe(true);
    expect(house.store.request(id)?.error?.code).toBe('killed');
    house.backend.become({ ready: true });
    expect(await run(house)).not.toBe(id);
    expect(house.backend.jobs).toHaveLength(1);
  });

  it('K181 is interrupted by a shutdown and never run', async () => {
    const house = openHouse();
    house.backend.become(making);
    const id = approved(house);
    house.scheduler.enqueue(id);
    await house.scheduler.stop();
    expect(status(house, id)).toBe('interrupted');
    house.backend.become({ ready: true });
    expect(house.backend.jobs).toEqual([]);
  });
});

describe('the order of runs', () => {
  it('lets one agent have no more places than the owner gives it', async () => {
    const house = openHouse();
    house.switches.perAgent = 1;
    const agentId = addAgent(house.store);
    let most = 0;
    let now = 0;
    house.backend.script = async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      return { kind: 'exited', exitCode: 0 };
    };
    const ids = [approved(house, { agentId }), approved(house, { agentId }), approved(house, { agentId })];
    for (const id of ids) house.scheduler.enqueue(id);
    await Promise.all(ids.map((id) => untilFinal(house, id)));
    expect(most).toBe(1);
  });

  it('is bounded in number, and agents take turns', async () => {
    const house = openHouse();
    house.switches.concurrent = 1;
    const order: string[] = [];
    house.backend.script = async (job) => {
      order.push(new TextDecoder().decode(job.code));
      return { kind: 'exited', exitCode: 0 };
    };
    house.switches.paused = true;
    const [a, b] = [addAgent(house.store), addAgent(house.store)];
    const ids = [
      ...['a1', 'a2', 'a3'].map((code) => approved(house, { agentId: a, code })),
      ...['b1'].map((code) => approved(house, { agentId: b, code })),
    ];
    for (const id of ids) house.scheduler.enqueue(id);
    expect(house.scheduler.counts()).toEqual({ running: 0, queued: 4 });
    house.switches.paused = false;
    house.scheduler.pump();
    expect(house.scheduler.counts()).toEqual({ running: 1, queued: 3 });
    for (const id of ids) await untilFinal(house, id);
    expect(order).toEqual(['a1', 'b1', 'a2', 'a3']);
  });

  it('keeps the memory of all runs within the budget', async () => {
    const house = openHouse();
    house.backend.script = () => new Promise(() => {});
    for (const memoryMb of [2048, 2048, 64]) {
      house.scheduler.enqueue(approved(house, { memoryMb }));
    }
    expect(house.scheduler.counts()).toEqual({ running: 2, queued: 1 });
    expect(house.scheduler.killAll()).toBe(3);
  });
});

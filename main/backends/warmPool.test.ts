import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../core/log.ts';
import type { ChildLauncher, SandboxChild } from './embedded/childLauncher.ts';
import { StartingChild } from './embedded/startingChild.ts';
import { ScriptedChild } from './embedded/testing.ts';
import { SandboxStartError, WarmPool } from './warmPool.ts';

/** Starts children that are ready at once, never, or dead at once, as the test says at the time. */
class Launcher implements ChildLauncher {
  readonly children: ScriptedChild[] = [];
  behaviour: 'ready' | 'silent' | 'dies' | 'babbles' = 'ready';
  launch(): SandboxChild {
    const child = new ScriptedChild();
    this.children.push(child);
    const { behaviour } = this;
    queueMicrotask(() => {
      if (behaviour === 'ready') child.say({ type: 'ready' });
      if (behaviour === 'babbles') child.say({ type: 'exit', outcome: { kind: 'exited', exitCode: 0 } });
      if (behaviour === 'dies') child.die('exit code 1');
    });
    return child;
  }
}

const poolOf = (launcher: Launcher, size: number) =>
  new WarmPool(() => new StartingChild(launcher, silentLog), size, silentLog);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the pool of warm sandbox processes', () => {
  it('holds as many ready as it was told, and gives each away once', async () => {
    const launcher = new Launcher();
    const pool = poolOf(launcher, 2);
    expect(pool.problem).not.toBeNull();
    await pool.start();
    expect(pool.problem).toBeNull();
    expect(launcher.children).toHaveLength(2);
    const [first, second] = [await pool.take(), await pool.take()];
    expect(first).toBe(launcher.children[0]);
    expect(second).toBe(launcher.children[1]);
    expect(launcher.children).toHaveLength(2);
    pool.refill();
    expect(launcher.children).toHaveLength(4);
    await pool.stop();
    expect(launcher.children.map((child) => child.isKilled)).toEqual([false, false, true, true]);
  });

  it('refills by itself a moment after one was taken', async () => {
    const launcher = new Launcher();
    const pool = poolOf(launcher, 1);
    await pool.start();
    await pool.take();
    vi.advanceTimersByTime(250);
    expect(launcher.children).toHaveLength(2);
    await pool.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('grows and shrinks at once when its size changes', async () => {
    const launcher = new Launcher();
    const pool = poolOf(launcher, 1);
    await pool.start();
    pool.resize(3);
    expect(launcher.children).toHaveLength(3);
    launcher.behaviour = 'silent';
    pool.resize(4);
    pool.resize(1);
    expect(launcher.children.map((child) => child.isKilled)).toEqual([false, true, true, true]);
    await vi.advanceTimersByTimeAsync(0);
    expect(pool.problem).toBeNull();
    await pool.stop();
  });

  it('starts one on demand when it is empty', async () => {
    const launcher = new Launcher();
    const pool = poolOf(launcher, 0);
    await pool.start();
    expect(await pool.take()).toBe(launcher.children.at(-1));
    await pool.stop();
  });

  it.each(['dies', 'babbles', 'silent'] as const)(
    'tells its problem when a process %s, and tries again later',
    async (behaviour) => {
      const launcher = new Launcher();
      launcher.behaviour = behaviour;
      const pool = poolOf(launcher, 1);
      const started = pool.start();
      const taken = pool.take();
      const refused = expect(taken).rejects.toThrow(SandboxStartError);
      await vi.advanceTimersByTimeAsync(15_000);
      await started;
      await refused;
      expect(pool.problem).not.toBeNull();
      expect(launcher.children[0]?.isKilled).toBe(behaviour !== 'dies');
      launcher.behaviour = 'ready';
      await vi.advanceTimersByTimeAsync(10_000);
      expect(pool.problem).toBeNull();
      await pool.stop();
    },
  );

  it('replaces a process that hangs in its start', async () => {
    const launcher = new Launcher();
    launcher.behaviour = 'silent';
    const pool = poolOf(launcher, 1);
    const started = pool.start();
    launcher.behaviour = 'ready';
    await vi.advanceTimersByTimeAsync(3_000);
    await started;
    expect(pool.problem).toBeNull();
    expect(launcher.children.map((child) => child.isKilled)).toEqual([true, false]);
    expect(await pool.take()).toBe(launcher.children[1]);
    await pool.stop();
  });

  it('replaces a process that ended while it waited', async () => {
    const launcher = new Launcher();
    const pool = poolOf(launcher, 1);
    await pool.start();
    launcher.children[0]?.die('exit code 1');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(launcher.children).toHaveLength(2);
    expect(await pool.take()).toBe(launcher.children[1]);
    await pool.stop();
  });

  it('gives none once it was stopped', async () => {
    const pool = poolOf(new Launcher(), 1);
    await pool.start();
    await pool.stop();
    await expect(pool.take()).rejects.toThrow(SandboxStartError);
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { exclusively } from './exclusive.ts';

const subject = (): string => `test ${crypto.randomUUID()}`;

describe('exclusive work', () => {
  it('lets the second wait until the first is done', async () => {
    const name = subject();
    const steps: string[] = [];
    let finishFirst = (): void => undefined;
    const first = exclusively(name, async () => {
      steps.push('first begins');
      await new Promise<void>((resolve) => {
        finishFirst = resolve;
      });
      steps.push('first ends');
    });
    const second = exclusively(name, async () => {
      steps.push('second');
    });
    await expect.poll(() => steps).toEqual(['first begins']);
    finishFirst();
    await Promise.all([first, second]);
    expect(steps).toEqual(['first begins', 'first ends', 'second']);
  });

  it('gives the turn back when the work fails', async () => {
    const name = subject();
    await expect(exclusively(name, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await exclusively(name, async () => 'mine')).toBe('mine');
  });

  it('is not held up by an owner that was killed', async () => {
    const name = subject();
    const script = `import { exclusively } from ${JSON.stringify(new URL('./exclusive.ts', import.meta.url).href)};
      await exclusively(${JSON.stringify(name)}, () => { console.log('held'); return new Promise(() => setInterval(() => 0, 1000)); });`;
    const owner = spawn('node', ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(owner.stdout, 'data');
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    expect(await exclusively(name, async () => 'mine')).toBe('mine');
  });
});

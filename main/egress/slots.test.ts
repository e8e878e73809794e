import { describe, expect, it } from 'vitest';
import { Slots } from './slots.ts';

const never = new AbortController().signal;

describe('slots', () => {
  it('go to whoever waited longest', async () => {
    const slots = new Slots(1);
    const order: string[] = [];
    const release = await slots.take(1_000, never);
    const first = slots.take(1_000, never).then((give) => {
      order.push('first');
      give();
    });
    const second = slots.take(1_000, never).then((give) => {
      order.push('second');
      give();
    });
    release();
    await Promise.all([first, second]);
    expect(order).toEqual(['first', 'second']);
    await expect(slots.take(1, never)).resolves.toBeTypeOf('function');
  });

  it('are given back once, however often it is said', async () => {
    const slots = new Slots(1);
    const release = await slots.take(1_000, never);
    release();
    release();
    await slots.take(1_000, never);
    await expect(slots.take(5, never)).rejects.toMatchObject({ code: 'busy' });
  });

  it('are not waited for longer than said, or after giving up', async () => {
    const slots = new Slots(1);
    const release = await slots.take(1_000, never);
    await expect(slots.take(5, never)).rejects.toMatchObject({ code: 'busy' });
    const controller = new AbortController();
    const waiting = slots.take(1_000, controller.signal);
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
    await expect(slots.take(1_000, AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
    release();
    await expect(slots.take(5, never)).resolves.toBeTypeOf('function');
  });
});

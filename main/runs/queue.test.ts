import { describe, expect, it } from 'vitest';
import { FairQueue, type Waiting } from './queue.ts';

const entry = (agentId: string, requestId: string): Waiting => ({ agentId, requestId, memoryMb: 1 });
const any = (): boolean => true;

function takeAll(queue: FairQueue): readonly (string | undefined)[] {
  return Array.from({ length: queue.size }, () => queue.take(any)?.requestId);
}

describe('the queue of approved requests', () => {
  it('lets agents take turns and keeps the order within each', () => {
    const queue = new FairQueue();
    for (const name of ['a1', 'a2', 'a3']) queue.push(entry('a', name));
    for (const name of ['b1', 'b2']) queue.push(entry('b', name));
    expect(takeAll(queue)).toEqual(['a1', 'b1', 'a2', 'b2', 'a3']);
    expect(queue.size).toBe(0);
  });

  it('passes over an agent whose head may not start now, without changing its order', () => {
    const queue = new FairQueue();
    queue.push(entry('a', 'a1'));
    queue.push(entry('a', 'a2'));
    queue.push(entry('b', 'b1'));
    expect(queue.take(({ agentId }) => agentId === 'b')?.requestId).toBe('b1');
    expect(queue.take(({ requestId }) => requestId === 'a2')).toBeNull();
    expect(takeAll(queue)).toEqual(['a1', 'a2']);
  });

  it('forgets a request that was taken out', () => {
    const queue = new FairQueue();
    queue.push(entry('a', 'a1'));
    queue.push(entry('a', 'a2'));
    expect(queue.remove('a1')).toBe(true);
    expect(queue.remove('a1')).toBe(false);
    expect(queue.has('a1')).toBe(false);
    expect(takeAll(queue)).toEqual(['a2']);
  });
});

import { describe, expect, it } from 'vitest';
import { isFinal, type RequestState, requestStates } from '../../contract/states.ts';
import { canMove } from './requestState.ts';

const allowed: readonly string[] = [
  'pending -> approved',
  'pending -> denied',
  'pending -> expired',
  'pending -> cancelled',
  'approved -> running',
  'approved -> failed',
  'approved -> interrupted',
  'running -> success',
  'running -> failed',
  'running -> interrupted',
];

const pairs = requestStates.flatMap((from) => requestStates.map((to): [RequestState, RequestState] => [from, to]));

describe('the state machine of a request', () => {
  it.each(pairs)('%s -> %s', (from, to) => {
    expect(canMove(from, to)).toBe(allowed.includes(`${from} -> ${to}`));
  });

  it('leaves no final state', () => {
    for (const [from, to] of pairs) if (isFinal(from)) expect(canMove(from, to)).toBe(false);
  });
});

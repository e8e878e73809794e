import { describe, expect, it } from 'vitest';
import type { RunnerExit } from '../../../contract/runner.ts';
import { endOf, exitOf } from './outcome.ts';

const told = (more: Partial<RunnerExit>): RunnerExit => ({
  code: null,
  signal: null,
  timedOut: false,
  outOfMemory: false,
  ...more,
});

describe('what a runner tells of the end of its code', () => {
  it.each([
    [told({ code: 3 }), { kind: 'exited', exitCode: 3 }],
    [told({ signal: 'SIGSEGV' }), { kind: 'signalled', signal: 'SIGSEGV' }],
    [told({ signal: 'SIGKILL', timedOut: true }), { kind: 'timed_out' }],
    [told({ signal: 'SIGKILL', outOfMemory: true }), { kind: 'out_of_memory' }],
    [told({ code: 0, outOfMemory: true }), { kind: 'out_of_memory' }],
  ])('%j is %j', (exit, outcome) => {
    expect(exitOf(exit)).toEqual(outcome);
  });

  it('is a broken sandbox when the program could not be started, or when it tells nothing', () => {
    const failed = exitOf(told({ failed: 'spawn ENOENT\u202e\n\u0000 done.' }));
    expect(failed).toEqual({ kind: 'broken', message: expect.stringContaining('(spawn ENOENT done)') });
    expect(exitOf(told({})).kind).toBe('broken');
    expect(exitOf(told({ signal: 'x'.repeat(20) })).kind).toBe('broken');
  });
});

describe('what the engine tells of the end of a container', () => {
  it('is memory, the engine itself, or an end by itself', () => {
    const state = { outOfMemory: false, exitCode: 137, error: '' };
    expect(endOf({ ...state, outOfMemory: true })).toEqual({ kind: 'out_of_memory' });
    expect(endOf(null)).toEqual({ kind: 'broken', message: expect.stringContaining('engine stopped during the run') });
    expect(endOf(state)).toEqual({ kind: 'broken', message: expect.stringContaining('exit code 137') });
    expect(endOf({ ...state, error: 'no space left.' })).toEqual({
      kind: 'broken',
      message: expect.stringContaining('The engine says: no space left. Run'),
    });
  });
});

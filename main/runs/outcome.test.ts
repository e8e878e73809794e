import { describe, expect, it } from 'vitest';
import { outcomeOf } from './outcome.ts';

describe('what a run came to', () => {
  it('is a success only for exit code 0', () => {
    expect(outcomeOf({ kind: 'exited', exitCode: 0 }, null)).toMatchObject({
      status: 'success',
      exitCode: 0,
      error: null,
    });
    expect(outcomeOf({ kind: 'exited', exitCode: 3 }, null)).toMatchObject({
      status: 'failed',
      exitCode: 3,
      error: null,
    });
  });

  it('tells a timeout from an exit', () => {
    expect(outcomeOf({ kind: 'timed_out' }, null)).toMatchObject({ status: 'failed', exitCode: null, timedOut: true });
  });

  it('names the signal', () => {
    expect(outcomeOf({ kind: 'signalled', signal: 'SIGKILL' }, null)).toMatchObject({
      signal: 'SIGKILL',
      exitCode: null,
    });
  });

  it('never takes a run that we stopped for a success, whatever the sandbox says', () => {
    for (const reason of ['owner', 'tripwire', 'flood', 'deadline', 'shutdown', 'stuck'] as const) {
      expect(outcomeOf({ kind: 'exited', exitCode: 0 }, reason)).toMatchObject({ status: 'failed', exitCode: null });
    }
  });
});

import type { SandboxExit } from './backend.ts';

/** Why we ended a run ourselves, if we did. */
export type StopReason = 'owner' | 'tripwire' | 'flood' | 'deadline' | 'shutdown' | 'stuck';

export type Outcome = Readonly<{
  status: 'success' | 'failed';
  exitCode: number | null;
  signal: string | null;
  timedOut: boolean;
  error: Readonly<{ code: string; message: string }> | null;
}>;

const nothing = { status: 'failed', exitCode: null, signal: null, timedOut: false, error: null } as const;

const stopped: Readonly<Record<StopReason, Outcome>> = {
  owner: { ...nothing, error: { code: 'killed', message: 'The owner stopped the run' } },
  tripwire: {
    ...nothing,
    error: { code: 'secret_misplaced', message: 'The code put a secret where it may not go; the run was stopped' },
  },
  flood: { ...nothing, error: { code: 'output_flood', message: 'The code wrote far more output than is kept' } },
  deadline: { ...nothing, timedOut: true, error: { code: 'timed_out', message: 'The run took longer than its limit' } },
  shutdown: { ...nothing, error: { code: 'interrupted', message: 'OAuth3 was shut down during the run' } },
  stuck: { ...nothing, error: { code: 'sandbox_unavailable', message: 'The sandbox did not end when it was told to' } },
};

/** What a run came to. A reason of our own outweighs what the sandbox reports about being ended. */
export function outcomeOf(exit: SandboxExit, reason: StopReason | null): Outcome {
  if (reason !== null) return stopped[reason];
  switch (exit.kind) {
    case 'exited':
      return { ...nothing, status: exit.exitCode === 0 ? 'success' : 'failed', exitCode: exit.exitCode };
    case 'signalled':
      return { ...nothing, signal: exit.signal };
    case 'timed_out':
      return stopped.deadline;
    case 'out_of_memory':
      return { ...nothing, error: { code: 'out_of_memory', message: 'The code used more memory than its limit' } };
    case 'killed':
      return stopped.owner;
    case 'broken':
      return { ...nothing, error: { code: 'sandbox_broken', message: exit.message } };
  }
}

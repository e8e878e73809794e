import { z } from 'zod';
import { type ChildOutcome, childMessageSchema } from '../../../contract/sandboxMessages.ts';
import type { Clock } from '../../core/clock.ts';
import { Deadline } from '../../core/deadline.ts';
import type { SandboxExit, SandboxIo, SandboxJob } from '../../runs/backend.ts';
import type { SandboxChild } from './childLauncher.ts';
import { ProtocolViolation } from './exchange.ts';
import { Exchanges } from './exchanges.ts';

/** The child ends itself at the timeout when it can (between two steps of the code); after this long we end it. */
const graceMs = 100;

/** What says of itself that it is a request, whatever else it is. */
const someFetch = z.looseObject({ type: z.literal('fetch') });

/**
 * Runs one job in a child that is ready, and takes the child with it: whatever comes first of an exit message, the
 * deadline, the caller's signal or the child's own end is the outcome, then the process is killed. Resolves when the
 * process is gone. Nothing that the child says is believed before it is parsed.
 */
export function runInChild(child: SandboxChild, job: SandboxJob, io: SandboxIo, clock: Clock): Promise<SandboxExit> {
  return new Promise((resolve) => {
    let outcome: SandboxExit | null = null;
    const exchanges = new Exchanges(io.egress, (message) => child.send(message));

    const end = (exit: SandboxExit) => {
      if (outcome !== null) return;
      outcome = exit;
      deadline.dispose();
      io.signal.removeEventListener('abort', onAbort);
      exchanges.cancelAll();
      child.kill();
    };
    const onAbort = () => end({ kind: 'killed' });
    const deadline = new Deadline(clock, job.limits.timeoutMs + graceMs, () => end({ kind: 'timed_out' }));

    const take = (message: unknown) => {
      const parsed = childMessageSchema.safeParse(message);
      if (!parsed.success) {
        if (someFetch.safeParse(message).success) exchanges.refuse('a request that fits no schema');
        throw new ProtocolViolation('a message that fits no schema');
      }
      switch (parsed.data.type) {
        case 'ready':
          throw new ProtocolViolation('ready twice');
        case 'output': {
          const { fd, bytes } = parsed.data;
          (fd === 1 ? io.stdout : io.stderr)(bytes);
          child.send({ type: 'output_taken', fd, count: bytes.byteLength });
          return;
        }
        case 'exit':
          return end(exitOf(parsed.data.outcome));
        default:
          return exchanges.receive(parsed.data);
      }
    };

    child.onMessage((message) => {
      if (outcome !== null) return;
      try {
        take(message);
      } catch (error) {
        const what = error instanceof ProtocolViolation ? error.message : 'its output could not be taken';
        end({
          kind: 'broken',
          message: `The QuickJS sandbox was stopped because it misbehaved: ${what}. Run it again; if it stays, report it.`,
        });
      }
    });
    child.onExit((reason) => {
      end({
        kind: 'broken',
        message: `The QuickJS sandbox process ended by itself (${reason}). Run it again; if it stays, give it more memory.`,
      });
      resolve(outcome ?? { kind: 'killed' });
    });
    io.signal.addEventListener('abort', onAbort, { once: true });
    if (io.signal.aborted) return onAbort();
    const { timeoutMs, memoryMb } = job.limits;
    child.send({ type: 'job', bytes: job.code, env: job.env, limits: { timeoutMs, memoryMb } });
  });
}

function exitOf(outcome: ChildOutcome): SandboxExit {
  if (outcome.kind !== 'crashed') return outcome;
  return { kind: 'broken', message: 'QuickJS itself crashed on this code. Try the code in another runtime.' };
}

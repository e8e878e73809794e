import { readFileSync } from 'node:fs';
import type { ChildMessage, ChildOutcome, HostMessage } from '../../contract/sandboxMessages.ts';
import { guestEnvironment } from './containerEnvironment.ts';
import { OutgoingRequests } from './outgoing.ts';
import { guestThread } from './relay.ts';
import { writeAll } from './writeAll.ts';

/** The runner ends us at the real deadline; 24 days is as far as timers reach. */
const timeoutMs = 2 ** 31 - 1;

/** EX_SOFTWARE of sysexits.h: not the code has failed, but what runs it. */
const brokenExitCode = 70;

/**
 * What the broker is to an embedded sandbox, this is to one in a container: hands over the code, prints, carries
 * requests out through the proxy of the environment, and ends the process as the program ended. `entry`: URL of the file
 * to start again as the thread of the program.
 */
export function runFile(entry: string, codeFile: string, memoryMb: number): void {
  const worker = guestThread(entry);
  const send = (message: HostMessage) => worker.postMessage(message);
  const requests = new OutgoingRequests(send);
  worker.on('message', (message: ChildMessage) => {
    switch (message.type) {
      case 'ready': {
        const bytes = new Uint8Array(readFileSync(codeFile));
        send({ type: 'job', bytes, env: guestEnvironment(process.env), limits: { timeoutMs, memoryMb } });
        return;
      }
      case 'output':
        writeAll(message.fd, message.bytes);
        send({ type: 'output_taken', fd: message.fd, count: message.bytes.byteLength });
        return;
      case 'exit':
        return end(message.outcome, memoryMb);
      default:
        return requests.receive(message);
    }
  });
  const broke = (): never => fail('QuickJS ended by itself. Try the code in another runtime.', brokenExitCode);
  worker.on('error', broke);
  worker.on('exit', broke);
}

function end(outcome: ChildOutcome, memoryMb: number): never {
  switch (outcome.kind) {
    case 'exited':
      return process.exit(outcome.exitCode);
    case 'out_of_memory':
      return fail(`The program wanted more memory than the ${memoryMb} MB that it may have.`, 1);
    case 'timed_out':
    case 'crashed':
      return fail('QuickJS itself crashed on this code. Try the code in another runtime.', brokenExitCode);
  }
}

function fail(message: string, exitCode: number): never {
  writeAll(2, new TextEncoder().encode(`${message}\n`));
  process.exit(exitCode);
}

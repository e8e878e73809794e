import type { Duplex } from 'node:stream';
import { runnerProtocol } from '../../../contract/runnerProtocol.ts';

/** Calls `onGreeted` once exactly the runner's greeting came in, `onWrong` at the first byte that is another. */
export function awaitGreeting(connection: Duplex, onGreeted: () => void, onWrong: () => void): void {
  const expected = Buffer.from(runnerProtocol.runnerGreeting);
  let received = Buffer.alloc(0);
  const read = (): void => {
    for (let chunk: Buffer | null = connection.read(); chunk !== null; chunk = connection.read()) {
      received = Buffer.concat([received, chunk]);
      const start = received.subarray(0, expected.length);
      if (!start.equals(expected.subarray(0, start.length))) {
        connection.off('readable', read);
        onWrong();
        return;
      }
      if (start.length < expected.length) continue;
      connection.off('readable', read);
      if (received.length > expected.length) connection.unshift(received.subarray(expected.length));
      onGreeted();
      return;
    }
  };
  connection.on('readable', read);
  read();
}

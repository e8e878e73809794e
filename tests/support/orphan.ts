/**
 * A host that is killed by a test: starts a sandbox, gives it a job that never ends, says so and waits. Started as
 * `node orphan.ts INSTALL_ID CODE`.
 */
import { closedDoor } from '../../main/backends/testing.ts';
import { openDockerHouse } from './dockerHouse.ts';

const [, , installId = '', code = ''] = process.argv;
const house = await openDockerHouse(['python']);
const backend = house.backend({ installId, poolSize: 1 });
await backend.start();
void backend.run(
  {
    runId: 'run_orphan',
    runtime: 'python',
    code: new TextEncoder().encode(code),
    env: {},
    limits: { timeoutMs: 600_000, memoryMb: 256, cpus: 0.5 },
  },
  {
    stdout: (chunk) => process.stdout.write(chunk),
    stderr: () => {},
    egress: closedDoor,
    signal: new AbortController().signal,
  },
);

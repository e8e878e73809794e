// A store under a limit of file size that the test set and lifts (Node ignores SIGXFSZ, so the write fails as it does
// on a full disk). Fills the disk, tells what still works, waits for a line on stdin, and tells again.
import { writeSync } from 'node:fs';
import { CodedError } from '../../../contract/errors.ts';
import { silentLog } from '../../../main/core/log.ts';
import { givenAgent, givenRequest, nextId, once, start } from '../../../main/store/fixtures.ts';
import { openStore } from '../../../main/store/store.ts';

const [dataDir = ''] = process.argv.slice(2);
const store = openStore({ dataDir, log: silentLog });
store.setMacKey(Buffer.alloc(32, 7));
const agentId = givenAgent(store);
const waiting = givenRequest(store, agentId);
const approved = givenRequest(store, agentId);
store.decide(once(approved));

const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'worked';
  } catch (error) {
    return error instanceof CodedError ? error.code : String(error);
  }
};
const untilRefused = (work: (index: number) => unknown): string => {
  for (let index = 0; index < 5_000; index += 1) {
    const code = codeOf(() => work(index));
    if (code !== 'worked') {
      return code;
    }
  }
  return 'never full';
};
// Large ones first, then a page at a time, so that no room is left for the smallest write.
const fill = () => [
  untilRefused(() => givenRequest(store, agentId, { code: Buffer.alloc(100_000, nextId('x')), pendingCap: 9_999 })),
  untilRefused(() => givenRequest(store, agentId, { pendingCap: 9_999 })),
  untilRefused((index) => store.setState('filler', String(index))),
];
const tell = (facts: Readonly<Record<string, unknown>>) => writeSync(1, `${JSON.stringify(facts)}\n`);
const states = () => [store.request(waiting.id)?.status, store.request(approved.id)?.status];

tell({
  fill: fill(),
  health: store.health(),
  decide: codeOf(() => store.decide(once(waiting))),
  startRun: codeOf(() => store.startRun(approved.id, { runId: 'run_1', nowMs: start })),
  states: states(),
  lock: codeOf(() => store.setMacKey(null)),
});
process.stdin.once('data', () => {
  tell({
    health: store.health(),
    decide: codeOf(() => store.decide(once(waiting))),
    startRun: codeOf(() => store.startRun(approved.id, { runId: 'run_1', nowMs: start })),
    states: states(),
    audit: store.verifyAudit().ok,
  });
  store.close();
  process.exit(0);
});

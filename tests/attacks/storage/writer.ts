// A broker's storage at work, in a process of its own that the test kills: it writes without a pause and tells each
// step when the store says that it is done. Arguments: data folder.
import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { silentLog } from '../../../main/core/log.ts';
import {
  givenAgent,
  givenRequest,
  givenSecret,
  minute,
  nextId,
  once,
  someResult,
  standing,
  start,
} from '../../../main/store/fixtures.ts';
import { openStore } from '../../../main/store/store.ts';

const [dataDir = ''] = process.argv.slice(2);
const store = openStore({ dataDir, log: silentLog });
store.setMacKey(Buffer.alloc(32, 7));

// A pipe takes it at once: what the test reads was said before the kill.
const say = (id: string, state: string) => writeSync(1, `${id} ${state}\n`);

writeSync(1, 'ready\n');
const agentId = givenAgent(store);
for (let round = 0; ; round += 1) {
  const request = givenRequest(store, agentId, { pendingCap: 1_000_000 });
  say(request.id, 'pending');
  store.touchAgent(agentId, start + round);
  store.saveCard({ subject: 'run', subjectId: request.id, channel: 'window', reference: { round } }, start);
  if (round % 5 === 0) {
    store.cancelRequest(request.id, start);
    say(request.id, 'cancelled');
    continue;
  }
  store.decide(round % 3 === 0 ? standing(store, request, 'forever') : once(request));
  say(request.id, 'approved');
  store.startRun(request.id, { runId: nextId('run'), nowMs: start + minute });
  say(request.id, 'running');
  const egress = {
    requestId: request.id,
    at: start,
    method: 'GET',
    host: 'api.example.com',
    port: 443,
    path: '/',
    status: 200,
    bytesIn: 1,
    bytesOut: 1,
    durationMs: 1,
    secrets: [],
    refused: null,
    placeholderInBody: false,
  };
  store.finishRun({
    requestId: request.id,
    status: 'success',
    nowMs: start + 2 * minute,
    result: { ...someResult, stdout: randomBytes(500).toString('hex') },
    error: null,
    egress: [egress],
    wakeText: 'done',
  });
  say(request.id, 'success');
  if (round % 7 === 0) {
    const secret = givenSecret(store, `KEY_${nextId('n')}`);
    store.replaceSecretValue(secret.id, randomBytes(60), 'cli', start);
    store.removeSecret(secret.id, 'cli', start);
  }
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBroker } from './house.ts';
import { requestsPerSecond } from './load.ts';
import { startProgram } from './process.ts';
import { type Race, race } from './race.ts';

const REQUESTS = 400;
const CONCURRENCY = 8;

/** Pending `/execute` per second against parsing and one durable insert in bare `node:http`; both in plain Node. */
export async function benchPending(rounds: number): Promise<Race> {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-bench-'));
  const bare = await startProgram(
    [process.execPath, join(import.meta.dirname, 'fixtures/bareInsert.ts'), folder],
    process.env,
    (line) => line.startsWith('ready '),
  );
  const broker = await startBroker();
  let made = 0;
  // Every request is another one: the same manifest would be answered with the request that waits already.
  const body = (): string => {
    made += 1;
    return JSON.stringify({
      skill_id: 'bench',
      code: `console.log(${made});\nconst answer = await fetch('https://api.example.com/v1/things/${made}');\nconsole.log(answer.status);`,
      metadata: { network: ['api.example.com'], description: 'one of many' },
    });
  };
  const rate = (url: string, token: string) => async (): Promise<readonly number[]> => {
    const target = { url, headers: { authorization: `Bearer ${token}` }, status: 202 };
    return [await requestsPerSecond(target, body, REQUESTS, CONCURRENCY)];
  };
  const ours = rate(`${broker.url}/execute`, broker.token);
  const theirs = rate(bare.line.split(' ')[1] ?? '', 'nobody');
  try {
    return await race('pending /execute', 'requests/s', rounds, [
      { name: 'ours', measure: ours },
      { name: 'bare insert', measure: theirs, aim: { text: '>= 0.5', holds: (ratio) => ratio >= 0.5 } },
    ]);
  } finally {
    await broker.close();
    await bare.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

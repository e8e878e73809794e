import type { UsableEngine } from '../scripts/setup/containerEngine.ts';
import { startNetworkHouse } from './networkJobs.ts';
import { type Race, race } from './race.ts';

const REQUESTS = 100;
/** Not counted: connecting, and code that is run for the first time. */
const FIRST = 10;

const program = (origin: string, connection: 'keep-alive' | 'close'): string => `
import https from 'node:https';
const headers = { authorization: 'Bearer ' + process.env.BENCH_KEY, connection: '${connection}' };
const once = () => new Promise((resolve, reject) => {
  https.get('${origin}/', { headers }, (answer) => {
    if (answer.statusCode !== 200) reject(new Error('HTTP ' + answer.statusCode));
    answer.resume().on('end', resolve);
  }).on('error', reject);
});
const times = [];
for (let request = 0; request < ${REQUESTS}; request += 1) {
  const started = performance.now();
  await once();
  times.push(performance.now() - started);
}
console.log(JSON.stringify(times.slice(${FIRST})));
`;

/** One HTTPS request with a secret, as the code sees it: through the tunnel, against a container with a network. */
export async function benchRequests(engine: UsableEngine, rounds: number): Promise<readonly Race[]> {
  const house = await startNetworkHouse(engine);
  try {
    const races: Race[] = [];
    for (const connection of ['keep-alive', 'close'] as const) {
      const { tunnel, bridge } = await house.job((origin) => program(origin, connection));
      const name = connection === 'close' ? 'a connection for each' : 'one connection for all';
      races.push(
        await race(`HTTPS request with a secret, ${name}`, 'ms', rounds, [
          { name: 'through the tunnel', measure: tunnel },
          { name: 'docker run on a bridge', measure: bridge },
        ]),
      );
    }
    return races;
  } finally {
    await house.close();
  }
}

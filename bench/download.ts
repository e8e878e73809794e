import type { UsableEngine } from '../scripts/setup/containerEngine.ts';
import { startNetworkHouse } from './networkJobs.ts';
import { type Race, race } from './race.ts';

const MEGABYTES = 256;

const program = (origin: string): string => `
import https from 'node:https';
const headers = { authorization: 'Bearer ' + process.env.BENCH_KEY };
const started = performance.now();
let length = 0;
await new Promise((resolve, reject) => {
  https.get('${origin}/bytes/${MEGABYTES * 1e6}', { headers }, (answer) => {
    answer.on('data', (chunk) => { length += chunk.length; }).on('end', resolve).on('error', reject);
  }).on('error', reject);
});
if (length !== ${MEGABYTES * 1e6}) throw new Error('got ' + length + ' bytes');
console.log(JSON.stringify([${MEGABYTES} / ((performance.now() - started) / 1000)]));
`;

/** A large answer over HTTPS: through the tunnel, against a container with a network. */
export async function benchDownload(engine: UsableEngine, rounds: number): Promise<readonly Race[]> {
  const house = await startNetworkHouse(engine);
  try {
    const { tunnel, bridge } = await house.job(program);
    return [
      await race(`HTTPS download of ${MEGABYTES} MB`, 'MB/s', rounds, [
        { name: 'through the tunnel', measure: tunnel },
        {
          name: 'docker run on a bridge',
          measure: bridge,
          aim: { text: '>= 0.3', holds: (ratio) => ratio >= 0.3 },
        },
      ]),
    ];
  } finally {
    await house.close();
  }
}

import { Agent, request } from 'node:http';

/** Sends `count` POSTs over `concurrency` kept-alive connections and answers requests per second. Any other status throws. */
export async function requestsPerSecond(
  target: Readonly<{ url: string; headers: Readonly<Record<string, string>>; status: number }>,
  body: (index: number) => string,
  count: number,
  concurrency: number,
): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      await post(agent, target, body(index));
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: concurrency }, worker));
  const seconds = (performance.now() - started) / 1000;
  agent.destroy();
  return count / seconds;
}

function post(
  agent: Agent,
  target: Readonly<{ url: string; headers: Readonly<Record<string, string>>; status: number }>,
  body: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...target.headers,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    const sent = request(target.url, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += String(chunk);
      });
      response.on('end', () => {
        if (response.statusCode === target.status) resolve();
        else reject(new Error(`HTTP ${response.statusCode}: ${text}`));
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

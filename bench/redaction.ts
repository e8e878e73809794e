import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type NamedSecret, Redactor } from '../main/core/redaction.ts';
import { percentile, type Race, race } from './race.ts';

const SECRETS = 100;
const MIB = 1024 * 1024;
const ONCE = 8;

type Content = Readonly<{ name: string; bytes: Uint8Array }>;

function contents(secrets: readonly string[]): readonly Content[] {
  const line = 'data: {"id": 12, "choices": [{"delta": {"content": "to be or not to be"}}]}\n\n';
  const json = Buffer.from(line.repeat(Math.ceil(MIB / line.length))).subarray(0, MIB);
  const echoed = Buffer.from(json);
  for (let at = 512; at + 512 < MIB; at += 16_384) {
    echoed.write(secrets[(at >> 14) % secrets.length] ?? '', at, 'latin1');
  }
  return [
    { name: 'an event stream', bytes: json },
    { name: 'an event stream with 64 echoed secrets', bytes: echoed },
    { name: 'base64', bytes: Buffer.from(randomBytes(MIB).toString('base64')).subarray(0, MIB) },
    { name: 'random bytes', bytes: randomBytes(MIB) },
  ];
}

/** Milliseconds a turn; several turns a figure, for one is short. */
function timed(once: () => unknown): () => Promise<readonly number[]> {
  return async () => {
    const started = performance.now();
    for (let turn = 0; turn < ONCE; turn += 1) once();
    return [(performance.now() - started) / ONCE];
  };
}

/** 1 MiB through the redaction of 100 secrets, in one stream of 64 KiB pieces, against SHA-256 of the same bytes. */
export async function benchRedaction(rounds: number): Promise<readonly Race[]> {
  const secrets = Array.from({ length: SECRETS }, () => randomBytes(30).toString('base64url'));
  const redactor = new Redactor(secrets.map((value, index) => ({ name: `S${index}`, value })));
  const races: Race[] = [];
  for (const { name, bytes } of contents(secrets)) {
    const redact = (): void => {
      const stream = redactor.stream();
      for (let at = 0; at < MIB; at += 65_536) stream.push(bytes.subarray(at, at + 65_536));
      stream.end();
    };
    races.push(
      await race(`redaction of 1 MiB with ${SECRETS} secrets: ${name}`, 'ms', rounds, [
        { name: 'redaction', measure: timed(redact) },
        { name: 'SHA-256', measure: timed(() => createHash('sha256').update(bytes).digest()) },
      ]),
    );
  }
  return races;
}

/** How long the search takes to build and what it keeps, for values of several lengths. One line each. */
export async function redactionBuilds(rounds: number): Promise<readonly string[]> {
  const cases: readonly (readonly [count: number, length: number])[] = [
    [1, 40],
    [100, 40],
    [1, 65_536],
    [100, 4096],
  ];
  const lines: string[] = [];
  for (const [count, length] of cases) {
    const times: number[] = [];
    const kept: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const secrets = Array.from({ length: count }, (_, index) => ({
        name: `S${index}`,
        value: randomBytes(length).toString('base64url').slice(0, length),
      }));
      const built = await build(secrets);
      times.push(built.ms);
      kept.push(built.bytes);
    }
    const ms = [0.5, 0.95].map((share) => percentile(times, share).toFixed(0));
    const size = (percentile(kept, 0.5) / MIB).toFixed(1);
    lines.push(
      `build of ${count} x ${length} characters   p50 ${ms[0]}  p95 ${ms[1]} ms   keeps p50 ${size} MiB  (n=${rounds})`,
    );
  }
  return lines;
}

/** A function of its own: nothing else may still hold the redactor of the round before. */
async function build(secrets: readonly NamedSecret[]): Promise<Readonly<{ ms: number; bytes: number }>> {
  const before = await memory();
  const started = performance.now();
  const redactor = new Redactor(secrets);
  const ms = performance.now() - started;
  const bytes = (await memory()) - before;
  // Held until here.
  redactor.text('');
  return { ms, bytes };
}

/** Bytes in use once garbage is collected; buffers are freed a little later than what held them. */
async function memory(): Promise<number> {
  setFlagsFromString('--expose-gc');
  for (let turn = 0; turn < 2; turn += 1) {
    runInNewContext('gc')();
    await delay(30);
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

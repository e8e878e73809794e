import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { z } from 'zod';
import { startBotApi } from '../tests/support/botApi.ts';
import { startBroker } from './house.ts';
import { type Race, race } from './race.ts';

const OWNER = 4711;
const RUNS = 12;
const code = "const words = ['to', 'be'];\nconsole.log(words.join(' '), 6 * 7);";
const printed = 'to be 42';

/**
 * A whole trusted run over HTTP (guard, digest, trust, durable records, sandbox, redaction) against evaluating the same
 * code in a fresh QuickJS module in a process that stood ready in the same way. Both sides get time to make the next
 * process ready between two runs.
 */
export async function benchTrusted(rounds: number): Promise<Race> {
  const bot = await startBotApi();
  const broker = await startBroker({
    TELEGRAM_API_ROOT: bot.root,
    TELEGRAM_BOT_TOKEN: bot.token,
    TELEGRAM_CHAT_ID: String(OWNER),
  });
  const headers = { authorization: `Bearer ${broker.token}`, 'content-type': 'application/json' };
  const execute = async () => {
    const body = JSON.stringify({ skill_id: 'bench', code });
    const response = await fetch(`${broker.url}/execute`, { method: 'POST', headers, body });
    return z.looseObject({ status: z.string(), stdout: z.string().optional() }).parse(await response.json());
  };
  try {
    await execute();
    await bot.waitFor(() => bot.messages(OWNER).some((message) => message.buttons.length > 0));
    await bot.tap('⏱ Trust 24h', OWNER);
    await bot.waitFor(() => bot.messages(OWNER).some((message) => message.edits > 0 && message.buttons.length === 0));
    const ours = () =>
      severalOf(async () => {
        const started = performance.now();
        const answer = await execute();
        const tookMs = performance.now() - started;
        if (answer.stdout?.trim() !== printed) throw new Error(`unexpected answer: ${JSON.stringify(answer)}`);
        await refillTime();
        return tookMs;
      });
    let ready = await bareChild();
    const theirs = () =>
      severalOf(async () => {
        const child = ready;
        const started = performance.now();
        const answered = once(child, 'message');
        child.send(code);
        const [answer] = await answered;
        const tookMs = performance.now() - started;
        if (answer !== printed) throw new Error(`unexpected answer: ${String(answer)}`);
        child.kill('SIGKILL');
        ready = await bareChild();
        await refillTime();
        return tookMs;
      });
    const figures = await race('trusted embedded run', 'ms', rounds, [
      { name: 'ours', measure: ours },
      { name: 'bare QuickJS', measure: theirs, aim: { text: '<= 3', holds: (ratio) => ratio <= 3 } },
    ]);
    ready.kill('SIGKILL');
    return figures;
  } finally {
    await broker.close();
    await bot.close();
  }
}

async function severalOf(measure: () => Promise<number>): Promise<readonly number[]> {
  const figures: number[] = [];
  for (let run = 0; run < RUNS; run += 1) figures.push(await measure());
  return figures;
}

async function bareChild(): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'fixtures/bareQuickjs.ts'), { env: {} });
  await once(child, 'message');
  return child;
}

/** Long enough for either side to have its next process standing by. */
function refillTime(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 700));
}

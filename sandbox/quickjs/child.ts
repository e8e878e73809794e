import { compileEngine, Engine } from './engine.ts';
import { watchFloating } from './floating.ts';
import { preludeSource } from './prelude/assemble.ts';
import { GuestRun } from './run.ts';
import { openTransport } from './transport.ts';

/** What a request that names no memory gets (INTERFACES.md 1); the engine that stands ready has this much. */
const usualMemoryMb = 256;

/**
 * A sandbox process: gets ready, takes one job, runs it, is killed. It is started with an empty environment; the job
 * brings placeholders only.
 */
async function main(): Promise<void> {
  // Nothing but frames may come out of stdout, whatever a library thinks is worth saying.
  const silent = () => {};
  Object.assign(console, { log: silent, info: silent, debug: silent, warn: silent, error: silent });

  const transport = openTransport();
  const module = await compileEngine();
  const run = new GuestRun(transport.send);
  const usual = await prepared(module, usualMemoryMb, run);
  warm(usual);
  let hasJob = false;
  transport.listen((message) => {
    if (message.type !== 'job') return run.receive(message);
    if (hasJob) return;
    hasJob = true;
    const { memoryMb } = message.limits;
    if (memoryMb === usualMemoryMb) void run.start(message, usual);
    else void prepared(module, memoryMb, run).then((engine) => run.start(message, engine));
  });
  transport.send({ type: 'ready' });
}

async function prepared(module: WebAssembly.Module, memoryMb: number, run: GuestRun): Promise<Engine> {
  const engine = await Engine.create(module, memoryMb);
  engine.install(preludeSource(), run.operate);
  return engine;
}

/** First use is slow: a sample of what programs do goes through the engine and the parser while nobody waits. */
function warm(engine: Engine): void {
  engine.check(watchFloating('const f = async () => { await 0; };\nf();'));
  engine.dispatch({ event: 'warm' });
  while (engine.runJobs(100).areMore);
}

await main();

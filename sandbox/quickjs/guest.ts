import { parentPort } from 'node:worker_threads';
import type { ChildMessage, HostMessage } from '../../contract/sandboxMessages.ts';
import { compileEngine, Engine, installedEngine } from './engine.ts';
import { watchFloating } from './floating.ts';
import { preludeSource } from './prelude/assemble.ts';
import { GuestRun } from './run.ts';

/** What a request that names no memory gets (INTERFACES.md 1); the engine that stands ready has this much. */
const usualMemoryMb = 256;

export type GuestOptions = Readonly<{
  wasmFile: string | URL;
  /** Of the engine that stands ready, MiB; a job that names another number waits for one of its own. */
  memoryMb: number;
  /** Whether there is time until the job comes. */
  warmsUp: boolean;
}>;

const usualOptions = (): GuestOptions => ({ wasmFile: installedEngine(), memoryMb: usualMemoryMb, warmsUp: true });

/** The thread of the program: prepares an engine, says `ready`, runs the one job that comes. */
export async function serve(options: GuestOptions = usualOptions()): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('the sandbox program runs in a worker thread');
  const send = (message: ChildMessage) => port.postMessage(message);
  const module = await compileEngine(options.wasmFile);
  const run = new GuestRun(send);
  const usual = await prepared(module, options.memoryMb, run);
  if (options.warmsUp) warm(usual);
  let hasJob = false;
  port.on('message', (message: HostMessage) => {
    if (message.type !== 'job') {
      run.receive(message);
      return;
    }
    if (hasJob) return;
    hasJob = true;
    const { memoryMb } = message.limits;
    const engine = memoryMb === options.memoryMb ? usual : prepared(module, memoryMb, run);
    void Promise.resolve(engine).then((ready) => run.start(message, ready));
  });
  send({ type: 'ready' });
}

async function prepared(module: WebAssembly.Module, memoryMb: number, run: GuestRun): Promise<Engine> {
  const engine = await Engine.create(module, memoryMb);
  engine.install(preludeSource(), run.operate);
  return engine;
}

/** First use is slow: a sample of what programs do goes through the parser and the engine while nobody waits. */
function warm(engine: Engine): void {
  watchFloating('const f = async (a = {}) => { await 0; };\nf();');
  engine.dispatch({ event: 'warm' });
  while (engine.runJobs(100).areMore);
}

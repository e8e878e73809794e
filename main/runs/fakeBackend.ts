import type { Isolation, Runtime } from '../../contract/runtime.ts';
import { ChangeSignal } from '../core/signal.ts';
import type { Backend, BackendStatus, Carrier, SandboxExit, SandboxIo, SandboxJob } from './backend.ts';

/**
 * A backend without a sandbox, for tests of what stands around one. The code is a small script, one command a line:
 * `print TEXT`, `error TEXT`, `env NAME`, `count-env`, `fetch METHOD URL [NAME:VALUE] [BODY]`, `throw TEXT`,
 * `exit CODE`, `spin`. Every other line is ignored. Keeps the jobs it was given in `jobs`.
 */
export class FakeBackend implements Backend {
  readonly isolation: Isolation;
  readonly runtimes: readonly Runtime[];
  readonly jobs: SandboxJob[] = [];
  readonly #running = new Set<Promise<SandboxExit>>();
  #stopping = new AbortController();
  #status: BackendStatus = { ready: false, coming: false, reason: 'The fake sandbox was not started.' };
  #carrier: Carrier = { image: 'fake', runner: '', seccomp: '' };
  readonly #changed = new ChangeSignal();
  /** Runtimes that were asked for, in order. */
  readonly prepared: Runtime[] = [];
  isWarm = true;
  poolSize = 0;

  constructor(options: Readonly<{ isolation?: Isolation; runtimes?: readonly Runtime[] }> = {}) {
    this.isolation = options.isolation ?? 'embedded';
    this.runtimes = options.runtimes ?? ['quickjs'];
  }

  status(): BackendStatus {
    return this.#status;
  }

  setStatus(status: BackendStatus): void {
    this.#status = status;
    this.#changed.emit();
  }

  carrier(): Carrier {
    return this.#carrier;
  }

  setCarrier(carrier: Carrier): void {
    this.#carrier = carrier;
    this.#changed.emit();
  }

  carries(_runtime: Runtime, { image, runner, seccomp }: Carrier): boolean {
    const now = this.#carrier;
    return image === now.image && runner === now.runner && seccomp === now.seccomp;
  }

  notes(): readonly string[] {
    return [];
  }

  prepare(runtime: Runtime): void {
    this.prepared.push(runtime);
  }

  onChange(listener: () => void): () => void {
    return this.#changed.onChange(listener);
  }

  keepWarm(wanted: boolean): void {
    this.isWarm = wanted;
  }

  resizePool(size: number): void {
    this.poolSize = size;
  }

  async start(): Promise<void> {
    this.#stopping = new AbortController();
    this.#status = { ready: true };
  }

  async stop(): Promise<void> {
    this.#status = { ready: false, coming: false, reason: 'The fake sandbox was stopped.' };
    this.#stopping.abort();
    await Promise.all(this.#running);
  }

  async run(job: SandboxJob, io: SandboxIo): Promise<SandboxExit> {
    this.jobs.push(job);
    if (!this.runtimes.includes(job.runtime)) return { kind: 'broken', message: `The fake has no ${job.runtime}.` };
    const killed = AbortSignal.any([io.signal, this.#stopping.signal]);
    if (killed.aborted) return { kind: 'killed' };
    const run = raced(job, { ...io, signal: killed });
    this.#running.add(run);
    try {
      return await run;
    } finally {
      this.#running.delete(run);
    }
  }
}

/** The script, its timeout or its signal: whichever is first. */
async function raced(job: SandboxJob, io: SandboxIo): Promise<SandboxExit> {
  const over = new AbortController();
  const signal = AbortSignal.any([io.signal, over.signal]);
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      interpret(job, { ...io, signal }).catch(
        (): SandboxExit => (signal.aborted ? { kind: 'killed' } : { kind: 'exited', exitCode: 1 }),
      ),
      new Promise<SandboxExit>((resolve) => {
        timer = setTimeout(() => resolve({ kind: 'timed_out' }), job.limits.timeoutMs);
      }),
      new Promise<SandboxExit>((resolve) => {
        io.signal.addEventListener('abort', () => resolve({ kind: 'killed' }), { once: true });
      }),
    ]);
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}

async function interpret(job: SandboxJob, io: SandboxIo): Promise<SandboxExit> {
  const out = (text: string) => io.stdout(new TextEncoder().encode(`${text}\n`));
  const err = (text: string) => io.stderr(new TextEncoder().encode(`${text}\n`));
  for (const line of new TextDecoder().decode(job.code).split('\n')) {
    const [command = '', ...words] = line.trim().split(' ');
    const rest = words.join(' ');
    if (command === 'print') out(rest);
    else if (command === 'error') err(rest);
    else if (command === 'env') out(job.env[rest] ?? '');
    else if (command === 'count-env') out(String(Object.keys(job.env).length));
    else if (command === 'fetch') out(await fetched(words, io));
    else if (command === 'throw') {
      err(`Uncaught Error: ${rest}`);
      return { kind: 'exited', exitCode: 1 };
    } else if (command === 'exit') return { kind: 'exited', exitCode: Number(rest) };
    else if (command === 'spin') await new Promise(() => {});
  }
  return { kind: 'exited', exitCode: 0 };
}

async function fetched([method = 'GET', url = '', header, body]: readonly string[], io: SandboxIo): Promise<string> {
  const [name = '', value = ''] = header?.split(':') ?? [];
  const response = await io.egress.request({
    method,
    url,
    headers: header === undefined ? [] : [[name, value]],
    body: body === undefined ? null : new TextEncoder().encode(body),
    signal: io.signal,
  });
  const pieces: Uint8Array[] = [];
  for await (const piece of response.body) pieces.push(piece);
  return `${response.status} ${Buffer.concat(pieces).toString('utf8')}`;
}

import { spawn } from 'node:child_process';
import { ImageError } from './ports.ts';

type ProgramOptions = Readonly<{ cwd: string; signal: AbortSignal; timeoutMs: number; env?: NodeJS.ProcessEnv }>;

// What package tools need to reach their registry, and nothing else that stands in the app's environment.
const passedOn =
  /^(PATH|HOME|USER|LOGNAME|TMPDIR|XDG_\w+|APT_CONFIG|npm_config_\w+|(https?|all|no)_proxy|SSL_CERT_(FILE|DIR)|NODE_EXTRA_CA_CERTS)$/i;
const maxTail = 4_000;

/** The part of our environment that the programs below may see. */
export function toolEnvironment(source: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(source).filter(([name]) => passedOn.test(name)));
}

/** A program failed; `message` has the line in which it says why. */
export class ProgramError extends ImageError {
  /** The end of what it printed on stderr, 4 000 characters at most. */
  readonly stderr: string;

  constructor(message: string, stderr: string) {
    super(message);
    this.stderr = stderr;
  }
}

/** Runs a program to its end and gives its stdout (64 KiB at most). Throws ImageError. */
export function runProgram(program: string, args: readonly string[], options: ProgramOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...toolEnvironment(), LC_ALL: 'C', ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
      signal: options.signal,
    });
    let stdout = '';
    let tail = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout = `${stdout}${text}`.slice(0, 65_536);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      tail = `${tail}${text}`.slice(-maxTail);
    });
    child.once('error', (error) => {
      if (options.signal.aborted) reject(new ImageError('It was stopped'));
      else if ('code' in error && error.code === 'ENOENT') {
        reject(new ImageError(`${program} is not on this machine, and making images from packages needs it`));
      } else reject(new ImageError(`${program} could not be started: ${error.message}`));
    });
    child.once('close', (code) => {
      if (code === 0) resolve(stdout);
      else if (options.signal.aborted) reject(new ImageError('It was stopped'));
      else {
        const why = code === null ? 'it took too long' : (reasonIn(tail) ?? `exit code ${code}`);
        reject(new ProgramError(`${program} failed: ${why}`, tail));
      }
    });
  });
}

const errorLine = /^(E:|npm (?:error|ERR!)|error:?) +(?!code |errno |syscall )(?<why>.+)/i;

/** The first line that names an error and not only its number, else the last one; null where nothing was printed. */
function reasonIn(text: string): string | null {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const [said] = lines.flatMap((line) => line.match(errorLine)?.groups?.why ?? []);
  return (said ?? lines.at(-1))?.slice(0, 300) ?? null;
}

import { createInterface } from 'node:readline';

/** Nobody gave what the command needs: exit 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

const maxInputBytes = 64 * 1024;

/** The secret text that a command needs: all of stdin without one trailing newline, or what is typed unseen. */
export async function readSecret(label: string): Promise<string> {
  const text = process.stdin.isTTY ? await ask(label, true) : await readAll();
  if (text === '') throw new UsageError(`Give the ${label.toLowerCase()} on stdin or at the prompt`);
  return text;
}

/** A question that only `y` or `yes` answers with yes. */
export async function confirm(question: string): Promise<boolean> {
  const text = process.stdin.isTTY ? await ask(`${question} Type yes`, false) : await readAll();
  return /^y(es)?$/i.test(text.trim());
}

async function readAll(): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > maxInputBytes) throw new UsageError('The input is longer than 64 KiB');
    chunks.push(bytes);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
      .decode(Buffer.concat(chunks))
      .replace(/\r?\n$/, '');
  } catch {
    throw new UsageError('The input is not valid UTF-8');
  }
}

/** Prompts on stderr, so that stdout stays the answer. Hidden: what is typed is not echoed. */
function ask(label: string, hidden: boolean): Promise<string> {
  process.stderr.write(`${label}: `);
  const lines = createInterface({
    input: process.stdin,
    // A terminal interface without output turns the echo off.
    ...(hidden ? { terminal: true } : { output: process.stderr }),
  });
  return new Promise((resolve, reject) => {
    let answered = false;
    lines.once('line', (line) => {
      answered = true;
      lines.close();
      resolve(line);
    });
    lines.once('SIGINT', () => lines.close());
    lines.once('close', () => {
      if (hidden) process.stderr.write('\n');
      if (!answered) reject(new UsageError('Nothing was entered'));
    });
  });
}

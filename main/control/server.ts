import { randomBytes } from 'node:crypto';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { type ControlAnswer, controlRequestSchema, maxControlLine } from '../../contract/control.ts';
import { dataFiles, joinPath } from '../../contract/dataDir.ts';
import { CodedError, errorBody } from '../../contract/errors.ts';
import type { OwnerActions } from '../../contract/owner.ts';
import type { Log } from '../core/log.ts';
import { sameText } from '../core/sameText.ts';
import { commandRunner, type RunCommand } from './commands.ts';
import { LineReader } from './lines.ts';
import { controlPlace, makePrivateFolder } from './place.ts';

const maxConnections = 32;

export type ControlOptions = Readonly<{
  dataDir: string;
  owner: OwnerActions;
  log: Log;
  platform?: string;
  runtimeDir?: string;
}>;

/**
 * The owner's local socket: whoever may open the file is the owner. On Windows a pipe has no file mode, so there every
 * message also quotes a token from a file in the data folder.
 */
export class ControlServer {
  readonly #options: ControlOptions;
  readonly #run: RunCommand;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #token: string | null = null;
  #path = '';

  constructor(options: ControlOptions) {
    this.#options = options;
    this.#run = commandRunner(options.owner);
  }

  get path(): string {
    return this.#path;
  }

  /** Rejects when the socket cannot be made. The data folder's lock guarantees that a socket left over is dead. */
  async start(): Promise<void> {
    const { dataDir } = this.#options;
    const platform = this.#options.platform ?? process.platform;
    const runtimeDir = this.#options.runtimeDir ?? process.env.XDG_RUNTIME_DIR ?? tmpdir();
    const place = controlPlace({ dataDir, platform, runtimeDir });
    if (place.folder !== null) makePrivateFolder(place.folder);
    this.#path = place.path;
    if (platform === 'win32') {
      this.#token = randomBytes(32).toString('hex');
      writePrivate(joinPath(platform, dataDir, dataFiles.controlToken), this.#token);
    } else {
      rmSync(this.#path, { force: true });
    }
    const server = createServer((socket) => this.#serve(socket));
    server.maxConnections = maxConnections;
    this.#server = server;
    // Node binds inside listen(), so the socket is never more open than the mask allows, also not for an instant.
    const mask = platform === 'win32' ? null : process.umask(0o177);
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(this.#path, () => {
          server.off('error', reject);
          resolve();
        });
        if (mask !== null) process.umask(mask);
      });
    } finally {
      if (mask !== null) process.umask(mask);
    }
    server.on('error', (error) => this.#options.log.warn({ error: error.message }, 'The control socket had an error'));
    if (platform !== 'win32') chmodSync(this.#path, 0o600);
    writePrivate(joinPath(platform, dataDir, dataFiles.controlPath), `${this.#path}\n`);
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    const platform = this.#options.platform ?? process.platform;
    for (const name of [dataFiles.controlPath, dataFiles.controlToken]) {
      rmSync(joinPath(platform, this.#options.dataDir, name), { force: true });
    }
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const reader = new LineReader(
      maxControlLine,
      (line) => void this.#answer(socket, line),
      () => socket.destroy(),
    );
    socket.on('data', (chunk: Buffer) => reader.push(chunk));
  }

  async #answer(socket: Socket, line: string): Promise<void> {
    const request = readRequest(line);
    // Not our protocol: there is nobody to explain it to.
    if (request === null) return void socket.destroy();
    const send = (answer: ControlAnswer): Promise<void> => write(socket, `${JSON.stringify(answer)}\n`);
    try {
      if (this.#token !== null && !sameText(request.token ?? '', this.#token)) {
        throw new CodedError('unauthorized', 'The token of the data folder is missing or wrong');
      }
      const parts = (part: string): Promise<void> => send({ id: request.id, part });
      const value = await this.#run(request.command, request.params, parts);
      await send({ id: request.id, ok: true, value: value ?? null });
    } catch (error) {
      await send({ id: request.id, ok: false, error: this.#envelope(error, request.command) }).catch(() => {});
    }
  }

  #envelope(error: unknown, command: string) {
    if (error instanceof CodedError) return errorBody(error).error;
    // The message of a defect may quote anything, so it stays in the log, by name of its class only.
    this.#options.log.error({ command, error: error instanceof Error ? error.name : 'unknown' }, 'A command broke');
    return errorBody(new CodedError('internal', 'Something broke inside; see the log')).error;
  }
}

function readRequest(line: string) {
  try {
    return controlRequestSchema.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}

/** Resolves when the bytes may be followed by more, so that a slow reader slows a long export down. */
function write(socket: Socket, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

function writePrivate(path: string, text: string): void {
  rmSync(path, { force: true });
  writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
}

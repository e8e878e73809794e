import { type ChildProcess, spawn } from 'node:child_process';
import { encodeFrame, FrameDecoder } from '../../../contract/sandboxFrames.ts';
import type { HostMessage } from '../../../contract/sandboxMessages.ts';
import type { ChildLauncher, SandboxChild } from './childLauncher.ts';
import { hardeningFlags } from './hardenedNode.ts';

/**
 * What an honest child can leave unread: the windows of all its open requests, with their heads. One that asks and never
 * listens would fill our memory with answers.
 */
const mostUnreadBytes = 32 * 1024 * 1024;

/** Sandbox processes of plain Node: frames on stdin and stdout, and an empty environment. They end when stdin does. */
export class NodeChildLauncher implements ChildLauncher {
  readonly #childPath: string;
  readonly #flags: readonly string[];

  /** `childPath`: absolute path of `sandbox/quickjs/child.ts`, or of the file it is built to. */
  constructor(childPath: string) {
    this.#childPath = childPath;
    this.#flags = hardeningFlags(childPath);
  }

  launch(): SandboxChild {
    // Windows cannot start a program without SystemRoot; nothing else of our environment may be seen by the child.
    const env = process.platform === 'win32' ? { SystemRoot: process.env.SystemRoot } : {};
    const child = spawn(process.execPath, [...this.#flags, this.#childPath], {
      env,
      stdio: ['pipe', 'pipe', 'ignore'],
      windowsHide: true,
    });
    return new NodeChild(child);
  }
}

class NodeChild implements SandboxChild {
  readonly #child: ChildProcess;
  #onMessage: (message: unknown) => void = () => {};
  #onExit: (reason: string) => void = () => {};
  #exitReason: string | null = null;

  constructor(child: ChildProcess) {
    this.#child = child;
    const decoder = new FrameDecoder();
    child.stdout?.on('data', (chunk: Buffer) => {
      try {
        decoder.push(chunk, (message) => this.#onMessage(message));
      } catch (error) {
        // Whoever listens ends a run at a message that it does not know; nothing after a bad frame can be read.
        child.stdout?.destroy();
        this.#onMessage({ type: 'malformed', reason: String(error) });
      }
    });
    // A child that died while we were writing is told by `close`.
    child.stdin?.on('error', () => {});
    child.stdout?.on('error', () => {});
    child.on('error', (error) => this.#exited(error.message));
    child.on('close', (code, signal) => this.#exited(signal ?? `exit code ${code}`));
  }

  send(message: HostMessage): void {
    const { stdin } = this.#child;
    if (this.#exitReason !== null || stdin === null) return;
    stdin.write(encodeFrame(message));
    if (stdin.writableLength > mostUnreadBytes) this.kill();
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#onMessage = listener;
  }

  onExit(listener: (reason: string) => void): void {
    this.#onExit = listener;
    if (this.#exitReason !== null) listener(this.#exitReason);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #exited(reason: string): void {
    if (this.#exitReason !== null) return;
    this.#exitReason = reason;
    this.#onExit(reason);
  }
}

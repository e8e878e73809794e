import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { encodeFrame, FrameDecoder } from '../../../contract/sandboxFrames.ts';
import type { HostMessage } from '../../../contract/sandboxMessages.ts';
import type { ChildLauncher, SandboxChild } from './childLauncher.ts';
import { hardeningFlags } from './hardenedNode.ts';

/** Sandbox processes of plain Node: frames on stdin and stdout, an empty environment, and a tether that ends them. */
export class NodeChildLauncher implements ChildLauncher {
  readonly #childPath: string;
  readonly #flags: readonly string[];

  /** `childPath`: absolute path of `sandbox/quickjs/child.ts`, or of its built file. */
  constructor(childPath: string) {
    this.#childPath = childPath;
    this.#flags = hardeningFlags(childPath);
  }

  launch(): SandboxChild {
    // Windows cannot start a program without SystemRoot; nothing else of our environment may be seen by the child.
    const env = process.platform === 'win32' ? { SystemRoot: process.env.SystemRoot } : {};
    const child = spawn(process.execPath, [...this.#flags, this.#childPath], {
      env,
      stdio: ['pipe', 'pipe', 'ignore', 'pipe'],
      windowsHide: true,
    });
    return new NodeChild(child);
  }
}

class NodeChild implements SandboxChild {
  readonly #child: ChildProcess;
  #onMessage: (message: unknown) => void = () => {};
  #onExit: ((reason: string) => void) | null = () => {};

  constructor(child: ChildProcess) {
    this.#child = child;
  }
}

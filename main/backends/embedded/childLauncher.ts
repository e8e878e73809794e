import type { HostMessage } from '../../../contract/sandboxMessages.ts';

/** One sandbox process, as far as the host has to do with it. */
export interface SandboxChild {
  send(message: HostMessage): void;
  /** Messages are unchecked: the child is hostile until proven otherwise, so parse them. One listener. */
  onMessage(listener: (message: unknown) => void): void;
  /** Called once, after the last message; `reason` says how it ended, for the log. One listener. */
  onExit(listener: (reason: string) => void): void;
  /** Ends the process for certain, whatever it is doing. `onExit` follows. */
  kill(): void;
}

/** Starts sandbox processes: plain Node has one adapter, the desktop app another. */
export interface ChildLauncher {
  /** Returns at once; a process that cannot be started tells so through `onExit`. */
  launch(): SandboxChild;
}

/** A minute: long enough to go to another window, too short to be found there tomorrow. */
const keptMs = 60_000;

type ClipboardPort = Readonly<{ read: () => Promise<string>; write: (text: string) => void; clear: () => void }>;

/** The token of an agent in the clipboard, for a minute, and not when something else was copied meanwhile (ATTACKS O249). */
export class TokenCopy {
  readonly #held: ClipboardPort;
  #copied: string | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(held: ClipboardPort) {
    this.#held = held;
  }

  copy(token: string): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#held.write(token);
    this.#copied = token;
    this.#timer = setTimeout(() => void this.takeBack(), keptMs);
    this.#timer.unref();
  }

  /** Also called when the app ends. Never rejects. */
  async takeBack(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const copied = this.#copied;
    this.#copied = null;
    if (copied === null) return;
    const held = await this.#held.read().catch(() => null);
    if (held === copied) this.#held.clear();
  }
}

import { randomInt } from 'node:crypto';
import type http from 'node:http';
import { BotApiRefusal } from './botApiRules.ts';

export type Update = Readonly<{ update_id: number }> & Readonly<Record<string, unknown>>;

type Poll = Readonly<{ answer: (updates: readonly Update[]) => void; conflict: () => void }>;
type Wanted = Readonly<{ offset?: number | undefined; timeout?: number | undefined }>;

/** Updates that wait for the bot: kept until an offset confirms them, delivered by long polling. */
export class BotApiUpdates {
  readonly history: Update[] = [];
  #kept: Update[] = [];
  #repeated: Update[] = [];
  #nextId = randomInt(1_000, 900_000_000);
  #poll: Poll | null = null;

  push(update: Readonly<Record<string, unknown>>): number {
    const entry = { update_id: this.#nextId, ...update };
    this.#nextId += 1;
    this.#kept.push(entry);
    this.history.push(entry);
    this.#flush();
    return entry.update_id;
  }

  repeat(count: number): void {
    this.#repeated = this.history.slice(-count);
    this.#flush();
  }

  restartIds(from: number): void {
    this.#nextId = from;
  }

  /** Answers a poll that waits with nothing. */
  interrupt(): void {
    this.#poll?.answer([]);
  }

  get({ offset = 0, timeout = 0 }: Wanted, request: http.IncomingMessage): Promise<readonly Update[]> {
    this.#poll?.conflict();
    this.#poll = null;
    if (offset > 0) this.#kept = this.#kept.filter((update) => update.update_id >= offset);
    if (this.#kept.length + this.#repeated.length > 0 || timeout === 0) return Promise.resolve(this.#waiting());
    return new Promise((resolve, reject) => {
      const gone = (): void => answer([]);
      const end = (): void => {
        clearTimeout(timer);
        request.socket.off('close', gone);
        if (this.#poll === mine) this.#poll = null;
      };
      const answer = (updates: readonly Update[]): void => {
        end();
        resolve(updates);
      };
      const conflict = (): void => {
        end();
        reject(new BotApiRefusal(409, 'Conflict: terminated by other getUpdates request'));
      };
      const mine: Poll = { answer, conflict };
      const timer = setTimeout(gone, timeout * 1000);
      request.socket.once('close', gone);
      this.#poll = mine;
    });
  }

  #waiting(): readonly Update[] {
    return [...this.#repeated.splice(0), ...this.#kept];
  }

  #flush(): void {
    if (this.#poll !== null && this.#kept.length + this.#repeated.length > 0) this.#poll.answer(this.#waiting());
  }
}

import { z } from 'zod';
import type { Records } from '../core/records.ts';

const STATE_KEY = 'telegram.prompts';
const VALID_MS = 10 * 60_000;
/** A late answer still holds a value and has to be recognised, so that it is deleted. */
const KNOWN_MS = 24 * 3600_000;
const MAX_PROMPTS = 50;

const promptSchema = z.strictObject({
  user: z.number().int(),
  message: z.number().int(),
  name: z.string(),
  at: z.number().int(),
});
type Prompt = z.infer<typeof promptSchema>;

/** Questions "what is the value of NAME?" that wait for a reply. Kept over restarts; no value is ever in here. */
export class Prompts {
  readonly #records: Pick<Records, 'state' | 'setState'>;
  readonly #clock: Readonly<{ wallMs(): number }>;

  constructor(records: Pick<Records, 'state' | 'setState'>, clock: Readonly<{ wallMs(): number }>) {
    this.#records = records;
    this.#clock = clock;
  }

  add(user: number, message: number, name: string): void {
    this.#write([...this.#read(), { user, message, name, at: this.#clock.wallMs() }]);
  }

  /** Whether a question of ours waits for this user. */
  waitsFor(user: number): boolean {
    return this.#read().some((prompt) => prompt.user === user && this.#isValid(prompt));
  }

  /** Takes the question that was answered: its name, null when it came too late; undefined when it is none of ours. */
  take(user: number, message: number): string | null | undefined {
    const prompts = this.#read();
    const found = prompts.find((prompt) => prompt.user === user && prompt.message === message);
    if (found === undefined) return undefined;
    this.#write(prompts.filter((prompt) => prompt !== found));
    return this.#isValid(found) ? found.name : null;
  }

  #isValid(prompt: Prompt): boolean {
    return Math.abs(this.#clock.wallMs() - prompt.at) <= VALID_MS;
  }

  #read(): readonly Prompt[] {
    const text = this.#records.state(STATE_KEY);
    return text === null ? [] : z.array(promptSchema).parse(JSON.parse(text));
  }

  #write(prompts: readonly Prompt[]): void {
    const known = prompts.filter((prompt) => Math.abs(this.#clock.wallMs() - prompt.at) <= KNOWN_MS);
    this.#records.setState(STATE_KEY, JSON.stringify(known.slice(-MAX_PROMPTS)));
  }
}

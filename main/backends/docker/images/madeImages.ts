import { z } from 'zod';
import type { Records } from '../../../core/records.ts';

/** Which image this installation made for a recipe. */
export interface MadeImages {
  id(recipe: string): string | null;
  remember(recipe: string, id: string): void;
}

const name = 'images_made';
/** Every new version of the runner brings some ten recipes. */
const most = 100;
const bookSchema = z.array(z.tuple([z.string(), z.string()]));

/** Kept in the store, so that nobody else who may use the engine can add to it. */
export class StoredMadeImages implements MadeImages {
  readonly #records: Pick<Records, 'state' | 'setState'>;

  constructor(records: Pick<Records, 'state' | 'setState'>) {
    this.#records = records;
  }

  id(recipe: string): string | null {
    return this.#book().get(recipe) ?? null;
  }

  /** Throws CodedError `storage_unavailable`. */
  remember(recipe: string, id: string): void {
    const book = this.#book();
    if (book.get(recipe) === id) return;
    // The newest stands last.
    book.delete(recipe);
    book.set(recipe, id);
    this.#records.setState(name, JSON.stringify([...book].slice(-most)));
  }

  #book(): Map<string, string> {
    try {
      return new Map(bookSchema.parse(JSON.parse(this.#records.state(name) ?? '[]')));
    } catch {
      // An image that nobody remembers is made again.
      return new Map();
    }
  }
}

import { z } from 'zod';
import { secretNameSchema } from './bridge.ts';

/**
 * One line of a `.env` file as the window is told of it: never its value. `new` and `exists` can be imported; `refused`
 * cannot, `reason` says why.
 */
export type EnvEntry = Readonly<{
  name: string;
  state: 'new' | 'exists' | 'refused';
  reason: string | null;
  /** Where a key of that name usually goes; empty: its first card asks. */
  hosts: readonly string[];
}>;

export type EnvFile = Readonly<{ file: string; entries: readonly EnvEntry[] }>;
export type EnvImported = Readonly<{ added: readonly string[]; problems: readonly string[] }>;

export const envImportSchema = z.strictObject({ names: z.array(secretNameSchema).min(1).max(500) });

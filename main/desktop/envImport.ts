import { readFile, stat } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import type { EnvEntry, EnvFile, EnvImported } from '../../contract/envImport.ts';
import { CodedError } from '../../contract/errors.ts';
import { checkSecretName, checkSecretValue } from '../core/secretRules.ts';
import { wellKnownHosts } from '../core/wellKnown.ts';

const maxBytes = 1024 * 1024;
/** Values are not kept longer than a person needs to choose. */
const keptMs = 5 * 60_000;

type Ports = Readonly<{
  /** The file that the owner chooses, null: none. */
  choose: () => Promise<string | null>;
  /** Names of the secrets that there are. */
  names: () => ReadonlySet<string>;
  /** Throws CodedError when the secret cannot be added. */
  add: (secret: Readonly<{ name: string; value: string; replace: boolean }>) => void;
}>;

/**
 * Takes secrets out of a `.env` file into the vault. The window learns names and what would become of each; values stay
 * in main, for five minutes at most.
 */
export class EnvImport {
  readonly #ports: Ports;
  #values: ReadonlyMap<string, string> = new Map();
  #timer: NodeJS.Timeout | null = null;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** Throws CodedError `invalid_request` when the file cannot be one. */
  async choose(): Promise<EnvFile | null> {
    this.forget();
    const file = await this.#ports.choose();
    if (file === null) return null;
    const values = new Map(Object.entries(parseEnv(await readText(file))).map(([name, value]) => [name, value ?? '']));
    if (values.size === 0) throw new CodedError('invalid_request', 'There is no NAME=value line in this file.');
    this.#values = values;
    this.#timer = setTimeout(() => this.forget(), keptMs);
    const known = this.#ports.names();
    const entries = [...values].map(([name, value]) => entryOf(name, value, known.has(name)));
    return { file, entries: entries.sort((a, b) => (a.name < b.name ? -1 : 1)) };
  }

  /** Each name by itself: what cannot be added is told, the others are. An existing secret gets its new value. */
  import(names: readonly string[]): EnvImported {
    const known = this.#ports.names();
    const added: string[] = [];
    const problems: string[] = [];
    for (const name of names) {
      const value = this.#values.get(name);
      try {
        if (value === undefined) throw new CodedError('not_found', 'is not in the file that was chosen last');
        this.#ports.add({ name, value, replace: known.has(name) });
        added.push(name);
      } catch (error) {
        if (!(error instanceof CodedError)) throw error;
        problems.push(`${name}: ${error.message}`);
      }
    }
    this.forget();
    return { added, problems };
  }

  forget(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#values = new Map();
  }
}

async function readText(file: string): Promise<string> {
  const facts = await stat(file).catch(() => null);
  if (facts === null || !facts.isFile()) throw new CodedError('invalid_request', 'This file cannot be read.');
  if (facts.size > maxBytes) throw new CodedError('invalid_request', 'This file is larger than 1 MiB.');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch {
    throw new CodedError('invalid_request', 'This file is not text in UTF-8.');
  }
}

function entryOf(name: string, value: string, exists: boolean): EnvEntry {
  const refused = [checkSecretName(name), checkSecretValue(value, 'placeholder')].find(({ ok }) => !ok);
  if (refused?.ok === false) return { name, state: 'refused', reason: refused.reason, hosts: [] };
  return { name, state: exists ? 'exists' : 'new', reason: null, hosts: wellKnownHosts(name) };
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SecretRecord } from '../core/records.ts';
import { type NamedSecret, Redactor } from '../core/redaction.ts';
import { inTurns } from '../core/slices.ts';

export type SecretRedactorDeps = Readonly<{
  secrets: () => readonly Pick<SecretRecord, 'id' | 'name' | 'version'>[];
  /** Throws while the vault is not unlocked. */
  value: (secretId: string) => Readonly<{ value: string }> | null;
}>;

/**
 * The redactor that knows every secret of the vault: a value that code learned elsewhere is masked as well. Built when
 * the vault changed, used by all runs until it changes again. Building gives way to everything else that waits: many
 * values take a second.
 */
export class SecretRedactor {
  readonly #deps: SecretRedactorDeps;
  #known: Readonly<{ revision: string; redactor: Promise<Redactor> }> | null = null;

  constructor(deps: SecretRedactorDeps) {
    this.#deps = deps;
  }

  /** The values are those of this moment, whatever changes while it is built. */
  async current(): Promise<Redactor> {
    const secrets = this.#deps.secrets();
    const revision = secrets.map(({ id, version }) => `${id}:${version}`).join(' ');
    if (this.#known?.revision !== revision) {
      const named = secrets.flatMap(({ id, name }): NamedSecret[] => {
        const opened = this.#deps.value(id);
        return opened === null ? [] : [{ name, value: opened.value }];
      });
      this.#known = { revision, redactor: inTurns(Redactor.build(named), nextTurn) };
    }
    return this.#known.redactor;
  }

  /** When the vault locks, nothing of its values stays here; runs that go on keep their own until they end. */
  forget(): void {
    this.#known = null;
  }
}

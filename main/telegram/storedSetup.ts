import { z } from 'zod';
import { memberKindSchema } from '../../contract/telegramView.ts';
import type { AuditInput, Records } from '../core/records.ts';

const memberSchema = z.strictObject({ chatId: z.number().int(), kind: memberKindSchema, name: z.string() }).readonly();

/** What the owner set up in the window. */
const setupSchema = z
  .strictObject({
    token: z.string(),
    botId: z.number().int(),
    username: z.string(),
    members: z.array(memberSchema).readonly(),
  })
  .readonly();
export type Setup = z.infer<typeof setupSchema>;
export type Member = z.infer<typeof memberSchema>;

/** The part of the vault that is needed; both throw CodedError `vault_locked`. */
export type SetupVault = Readonly<{
  encrypt(id: string, name: string, version: number, value: string): Uint8Array;
  decrypt(value: Readonly<{ id: string; name: string; version: number; bytes: Uint8Array }>): string;
}>;

export type SetupPorts = Readonly<{
  vault: SetupVault;
  records: Pick<Records, 'telegramSetup' | 'saveTelegramSetup'>;
  clock: Readonly<{ wallMs(): number }>;
}>;

/** Ids of secrets begin with `sec_`: neither can be taken for the other. */
const owner = { id: 'telegram', name: 'Telegram' } as const;

/**
 * The set-up as it is stored: sealed as a whole, so that a program that can write the database can neither read the
 * token nor make itself an approver.
 */
export class StoredSetup {
  readonly #ports: SetupPorts;

  constructor(ports: SetupPorts) {
    this.#ports = ports;
  }

  exists(): boolean {
    return this.#ports.records.telegramSetup() !== null;
  }

  /** Null: there is none. Throws when the vault is locked, or when it was changed on disk. */
  read(): Setup | null {
    const row = this.#ports.records.telegramSetup();
    if (row === null) return null;
    const text = this.#ports.vault.decrypt({ ...owner, version: row.version, bytes: row.sealed });
    return setupSchema.parse(JSON.parse(text));
  }

  save(setup: Setup, event: AuditInput): void {
    const { vault, records, clock } = this.#ports;
    const version = (records.telegramSetup()?.version ?? 0) + 1;
    const sealed = vault.encrypt(owner.id, owner.name, version, JSON.stringify(setup));
    records.saveTelegramSetup({ version, sealed }, event, clock.wallMs());
  }

  forget(event: AuditInput): void {
    this.#ports.records.saveTelegramSetup(null, event, this.#ports.clock.wallMs());
  }
}

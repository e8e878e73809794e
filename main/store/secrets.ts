import { CodedError } from '../../contract/errors.ts';
import type { Principal } from '../../contract/states.ts';
import type { BindingRecord, Records, SecretRecord } from '../core/records.ts';
import type { StoreContext } from './context.ts';
import { maybe } from './rowParser.ts';
import { encryptedSecretRow, secretRow, secretUseRow } from './rows.ts';
import { isUniqueViolation, type Sqlite } from './sqlite.ts';

export type SecretRecords = Pick<
  Records,
  | 'secrets'
  | 'secretByName'
  | 'encryptedSecret'
  | 'addSecret'
  | 'replaceSecretValue'
  | 'setSecretDelivery'
  | 'setBinding'
  | 'removeSecret'
  | 'touchSecrets'
  | 'secretUses'
>;

type Binding = Omit<BindingRecord, 'revision'>;

const selectSecret = `SELECT secrets.id, name, version, delivery, secrets.created_at, updated_at, last_used_at,
  binding_revision, hosts, places, source
  FROM secrets JOIN bindings ON bindings.secret_id = secrets.id AND bindings.revision = secrets.binding_revision`;

function requireSecret(db: Sqlite, id: string): SecretRecord {
  const secret = maybe(secretRow, db.get(`${selectSecret} WHERE secrets.id = ?`, [id]));
  if (secret === null) {
    throw new CodedError('not_found', 'There is no such secret.', { hint: 'List the secrets to see their names.' });
  }
  return secret;
}

function insertBinding(db: Sqlite, id: string, binding: BindingRecord, actor: Principal, nowMs: number): void {
  db.run(
    `INSERT INTO bindings (secret_id, revision, hosts, places, source, created_at, created_by)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
    [id, binding.revision, JSON.stringify(binding.hosts), JSON.stringify(binding.places), binding.source, nowMs, actor],
  );
}

/** Next binding revision inside the caller's transaction; a standing decision keeps its hosts this way. */
export function writeBinding(
  { db, audit }: StoreContext,
  id: string,
  next: (former: SecretRecord) => Binding,
  actor: Principal,
  nowMs: number,
): SecretRecord {
  const former = requireSecret(db, id);
  const revision = former.binding.revision + 1;
  const binding = { ...next(former), revision };
  insertBinding(db, id, binding, actor, nowMs);
  db.run('UPDATE secrets SET binding_revision = ?, updated_at = ? WHERE id = ?', [revision, nowMs, id]);
  audit.append(
    {
      actor,
      kind: 'secret.bound',
      payload: { secret_id: id, name: former.name, revision, hosts: binding.hosts, places: binding.places },
    },
    nowMs,
  );
  return { ...former, binding, updatedAt: nowMs };
}

export function secretRecords(context: StoreContext): SecretRecords {
  const { db, relaxed, audit } = context;

  /** Old values leave the file with `secure_delete`; this takes them out of the write-ahead log too. */
  const forgetOldPages = () => {
    db.pragma('wal_checkpoint(TRUNCATE)');
  };

  return {
    secrets() {
      relaxed.flush();
      return db.all(`${selectSecret} ORDER BY name`).map(secretRow);
    },
    secretByName: (name) => maybe(secretRow, db.get(`${selectSecret} WHERE name = ?`, [name])),
    encryptedSecret: (id) =>
      maybe(
        encryptedSecretRow,
        db.get('SELECT id, name, version, encrypted_value AS bytes FROM secrets WHERE id = ?', [id]),
      ),

    addSecret: (secret, actor, nowMs) =>
      db.write(() => {
        try {
          db.run(
            `INSERT INTO secrets (id, name, encrypted_value, created_at, updated_at, version, delivery, binding_revision)
             VALUES (?, ?, ?, ?, ?, 1, ?, 1)`,
            [secret.id, secret.name, secret.encrypted, nowMs, nowMs, secret.delivery],
          );
        } catch (error) {
          throw isUniqueViolation(error) ? secretExists() : error;
        }
        insertVersion(db, secret.id, 1, actor, nowMs);
        insertBinding(db, secret.id, { ...secret.binding, revision: 1 }, actor, nowMs);
        const { id, name, delivery } = secret;
        audit.append(
          {
            actor,
            kind: 'secret.added',
            payload: { secret_id: id, name, delivery, hosts: secret.binding.hosts, places: secret.binding.places },
          },
          nowMs,
        );
        return requireSecret(db, id);
      }),

    replaceSecretValue(id, encrypted, actor, nowMs) {
      const secret = db.write(() => {
        const { name, version: former } = requireSecret(db, id);
        const version = former + 1;
        db.run('UPDATE secrets SET encrypted_value = ?, version = ?, updated_at = ? WHERE id = ?', [
          encrypted,
          version,
          nowMs,
          id,
        ]);
        insertVersion(db, id, version, actor, nowMs);
        audit.append({ actor, kind: 'secret.value_replaced', payload: { secret_id: id, name, version } }, nowMs);
        return requireSecret(db, id);
      });
      forgetOldPages();
      return secret;
    },

    setSecretDelivery: (id, delivery, actor, nowMs) =>
      db.write(() => {
        const { name } = requireSecret(db, id);
        db.run('UPDATE secrets SET delivery = ?, updated_at = ? WHERE id = ?', [delivery, nowMs, id]);
        audit.append({ actor, kind: 'secret.delivery_set', payload: { secret_id: id, name, delivery } }, nowMs);
        return requireSecret(db, id);
      }),

    setBinding: (id, binding, actor, nowMs) => db.write(() => writeBinding(context, id, () => binding, actor, nowMs)),

    removeSecret(id, actor, nowMs) {
      db.write(() => {
        const { name } = requireSecret(db, id);
        db.run('DELETE FROM secrets WHERE id = ?', [id]);
        audit.append({ actor, kind: 'secret.removed', payload: { secret_id: id, name } }, nowMs);
      });
      forgetOldPages();
    },

    touchSecrets: (ids, nowMs) =>
      relaxed.later((quick) => {
        for (const id of ids) {
          quick.run('UPDATE secrets SET last_used_at = ? WHERE id = ?', [nowMs, id]);
        }
      }),

    secretUses: (runs) =>
      db
        .all(
          `SELECT secret.value ->> 'secretId' AS secret_id, run.agent_id, run.skill_id, count(*) AS runs,
                  max(run.started_at) AS last_at
           FROM (SELECT agent_id, skill_id, started_at, manifest_digest FROM requests ORDER BY created_at DESC LIMIT ?) AS run
           JOIN manifests ON manifests.digest = run.manifest_digest
           JOIN json_each(manifests.json, '$.secrets') AS secret
           WHERE run.started_at IS NOT NULL
           GROUP BY 1, 2, 3 ORDER BY last_at DESC`,
          [runs],
        )
        .map(secretUseRow),
  };
}

function insertVersion(db: Sqlite, id: string, version: number, actor: Principal, nowMs: number): void {
  db.run('INSERT INTO secret_versions (secret_id, version, created_at, created_by) VALUES (?, ?, ?, ?)', [
    id,
    version,
    nowMs,
    actor,
  ]);
}

function secretExists(): CodedError {
  return new CodedError('already_exists', 'A secret with this name exists already.', {
    hint: 'Replace its value, or choose another name.',
  });
}

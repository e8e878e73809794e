import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Records } from '../core/records.ts';
import { systemClock } from '../core/systemClock.ts';
import { agentRecords } from './agents.ts';
import { AuditLog } from './audit.ts';
import { AuditIndex } from './auditIndex.ts';
import { auditRecords } from './auditRecords.ts';
import { cardRecords } from './cards.ts';
import type { StoreContext } from './context.ts';
import { prepareFolder } from './dataFolder.ts';
import { decisionRecords } from './decisions.ts';
import { lockFolder } from './folderLock.ts';
import { healthRecords } from './health.ts';
import { migrations } from './migrations/all.ts';
import type { Migration } from './migrations/migration.ts';
import { openDatabase } from './openDatabase.ts';
import { pairingRecords } from './pairings.ts';
import { RelaxedWriter } from './relaxed.ts';
import { requestRecords } from './requests.ts';
import { retentionRecords } from './retention.ts';
import { runRecords } from './runs.ts';
import { Seal } from './seal.ts';
import { secretRecords } from './secrets.ts';
import { settingRecords } from './settings.ts';
import { type SlotRecords, slotRecords } from './slots.ts';
import { telegramSetupRecords } from './telegramSetup.ts';
import { trustRecords } from './trust.ts';
import { wakeRecords } from './wake.ts';

export type StoreOptions = Readonly<{
  dataDir: string;
  /** Path of better-sqlite3's binary where its prebuild does not fit the runtime. */
  nativeBinding?: string | undefined;
  log: Log;
  clock?: Clock;
  /** The schema steps; tests open files of earlier versions with fewer. */
  migrations?: readonly Migration[];
}>;

export type Store = Records &
  SlotRecords &
  Readonly<{
    /**
     * The vault's key for seals, null when it locks. With a key, the audit log is compared with its sealed head, and
     * trust entries can be told from rows of another hand; without one no trust entry is live.
     */
    setMacKey(key: Uint8Array | null): void;
    close(): void;
  }>;

/**
 * Opens `<data dir>/proxy.db` for this process alone. Throws a StoreOpenError: DataFolderInUseError,
 * DataFolderUnsafeError, DataFolderUnusableError, DatabaseTooNewError or DatabaseCorruptError.
 */
export function openStore(options: StoreOptions): Store {
  const { dataDir, nativeBinding, log } = options;
  const clock = options.clock ?? systemClock;
  prepareFolder(dataDir);
  const lock = lockFolder(dataDir, { nativeBinding, nowMs: clock.wallMs() });
  try {
    const { db, quick } = openDatabase({
      dataDir,
      nativeBinding,
      migrations: options.migrations ?? migrations,
      nowMs: clock.wallMs(),
    });
    const seal = new Seal();
    const relaxed = new RelaxedWriter(quick, db, log);
    const index = new AuditIndex(relaxed, log);
    const audit = new AuditLog(db, relaxed, seal, index);
    const context: StoreContext = { db, relaxed, audit, seal, log };
    const trust = trustRecords(context);
    index.begin();
    return {
      together: (work) => db.write(work),
      ...agentRecords(context),
      ...secretRecords(context),
      ...requestRecords(context, trust.liveTrust),
      ...decisionRecords(context),
      ...runRecords(context),
      ...trust,
      ...cardRecords(context),
      ...pairingRecords(context),
      ...wakeRecords(context),
      ...settingRecords(context),
      ...telegramSetupRecords(context),
      ...retentionRecords(context),
      ...slotRecords(context, clock.wallMs),
      ...healthRecords(context, clock),
      ...auditRecords(db, audit, index),
      setMacKey(key) {
        sealEnd(audit, seal, log);
        seal.use(key);
        if (key !== null) {
          audit.reseal(clock.wallMs());
        }
      },
      close() {
        index.close();
        relaxed.close();
        db.close();
        seal.use(null);
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** The key goes away in any case: a full disk must not keep the vault from locking. */
function sealEnd(audit: AuditLog, seal: Seal, log: Log): void {
  try {
    if (seal.ready) {
      audit.sealNow();
    }
  } catch (error) {
    log.warn({ reason: String(error) }, 'The end of the audit log could not be sealed');
  }
}

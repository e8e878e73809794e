import { auditLinkHash, auditPayloadHash, auditPayloadText, genesisHash } from '../core/auditHash.ts';
import type { AuditEvent, AuditInput, AuditVerdict } from '../core/records.ts';
import { AuditHead } from './auditHead.ts';
import type { AuditIndex } from './auditIndex.ts';
import type { RelaxedWriter } from './relaxed.ts';
import { maybe } from './rowParser.ts';
import { type AuditRow, auditRow, linkRow } from './rows.ts';
import type { Seal } from './seal.ts';
import type { Sqlite } from './sqlite.ts';

const pageSize = 500;

/**
 * The append-only log. Every event carries the hash of the one before it; while the vault is unlocked the newest one
 * is sealed too, so that a log that was cut or rewritten with right hashes is still noticed. Payloads are small facts:
 * never a secret's value, never code.
 */
export class AuditLog {
  readonly #db: Sqlite;
  readonly #relaxed: RelaxedWriter;
  readonly #seal: Seal;
  readonly #head: AuditHead;
  readonly #index: AuditIndex;
  #sealing = false;

  constructor(db: Sqlite, relaxed: RelaxedWriter, seal: Seal, index: AuditIndex) {
    this.#db = db;
    this.#relaxed = relaxed;
    this.#seal = seal;
    this.#head = new AuditHead(db, seal);
    this.#index = index;
  }

  /** Part of the transaction that it tells about. */
  append(input: AuditInput, nowMs: number): void {
    this.#db.write(() => {
      const last = this.#last();
      const payloadText = auditPayloadText(input.payload);
      const link = {
        seq: (last?.seq ?? 0) + 1,
        at: nowMs,
        actor: input.actor,
        kind: input.kind,
        requestId: input.requestId ?? null,
        payloadHash: auditPayloadHash(payloadText),
        prevHash: last?.hash ?? genesisHash,
      };
      const hash = auditLinkHash(link);
      this.#db.run(
        `INSERT INTO audit_events (seq, at, actor, kind, request_id, payload, payload_hash, prev_hash, hash)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        [link.seq, link.at, link.actor, link.kind, link.requestId, payloadText, link.payloadHash, link.prevHash, hash],
      );
    });
    this.#index.noted();
    this.#sealLater();
  }

  /** Seals what stands, before the key goes away. */
  sealNow(): void {
    this.#db.write(() => this.#head.move(this.#db));
  }

  /** A second late is soon enough, and spares every transaction of the hot path a page and an HMAC. */
  #sealLater(): void {
    if (!this.#sealing && this.#seal.ready) {
      this.#sealing = true;
      this.#relaxed.later((quick) => {
        this.#sealing = false;
        this.#head.move(quick);
      });
    }
  }

  /** Call when the vault was unlocked: compares the sealed head with the log, then seals the log as it stands. */
  reseal(nowMs: number): void {
    this.#db.write(() => {
      const gap = this.#head.check();
      if (gap !== null) {
        this.#head.keepAsCheckpoint(nowMs);
        this.append({ actor: 'broker', kind: 'audit.tampered', payload: { seq: gap.seq, reason: gap.reason } }, nowMs);
      }
      this.#head.move(this.#db);
      this.#head.keepAsCheckpoint(nowMs);
    });
  }

  #last(): Readonly<{ seq: number; hash: string }> | null {
    return maybe(linkRow, this.#db.get('SELECT seq, hash FROM audit_events ORDER BY seq DESC LIMIT 1'));
  }

  *each(): IterableIterator<AuditEvent> {
    for (const found of this.#rows()) {
      yield found.event;
    }
  }

  /** Oldest first, a page at a time: an open cursor would keep the connection from writing meanwhile. */
  *#rows(): IterableIterator<AuditRow> {
    let after = 0;
    for (;;) {
      const page = this.#db.all('SELECT * FROM audit_events WHERE seq > ? ORDER BY seq LIMIT ?', [after, pageSize]);
      for (const found of page.map(auditRow)) {
        after = found.event.seq;
        yield found;
      }
      if (page.length < pageSize) {
        return;
      }
    }
  }

  *verifySlices(): Generator<number, AuditVerdict, void> {
    let prevHash = genesisHash;
    let seq = 0;
    for (const { event, payloadText, payloadHash, prevHash: claimed } of this.#rows()) {
      seq += 1;
      if (event.seq !== seq) {
        return broken(seq, 'The event is missing.');
      }
      if (claimed !== prevHash || event.hash !== auditLinkHash({ ...event, payloadHash, prevHash })) {
        return broken(seq, 'The event does not fit its hash or the event before it.');
      }
      if (payloadText !== null && auditPayloadHash(payloadText) !== payloadHash) {
        return broken(seq, 'The payload was changed.');
      }
      prevHash = event.hash;
      if (seq % pageSize === 0) {
        yield seq;
      }
    }
    const gap = this.#head.check() ?? this.#head.checkCheckpoints();
    return gap === null ? { ok: true, events: seq } : broken(gap.seq, gap.reason);
  }
}

function broken(seq: number, reason: string): AuditVerdict {
  return { ok: false, brokenAtSeq: seq, reason };
}

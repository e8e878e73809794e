import { type FileHandle, open, rm } from 'node:fs/promises';
import type {
  AuditDetail,
  AuditExported,
  AuditFilter,
  AuditFormat,
  AuditLine,
  AuditQuery,
  AuditVerdict,
  AuditWork,
} from '../../contract/audit.ts';
import { CodedError } from '../../contract/errors.ts';
import type { AuditRow, OwnerActions } from '../../contract/owner.ts';
import { toSegments } from '../core/display.ts';
import { auditActor, auditSentence } from './auditSentence.ts';

/** Of a sentence in the list; the event itself shows all of it. */
const maxSentence = 300;
const maxActor = 80;

type Ports = Readonly<{
  owner: Pick<OwnerActions, 'audit' | 'auditEvent' | 'verifyAudit' | 'exportAudit'>;
  /** The file that the owner names, null: none. */
  chooseFile: (name: string) => Promise<string | null>;
  progress: (work: AuditWork) => void;
}>;

const line = (row: AuditRow): AuditLine => ({
  seq: row.seq,
  at: row.at,
  kind: row.kind,
  request_id: row.request_id,
  actor: toSegments(auditActor(row), { maxChars: maxActor }),
  sentence: toSegments(auditSentence(row), { maxChars: maxSentence }),
});

/** The audit log for the window: lines ready to show, and the two long works, one of each at a time. */
export class AuditDesk {
  readonly #ports: Ports;
  readonly #running = new Map<AuditWork['job'], AbortController>();

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  async lines(query: AuditQuery): Promise<readonly AuditLine[]> {
    return (await this.#ports.owner.audit(query)).map(line);
  }

  detail(seq: number): AuditDetail {
    const { payload, hash } = this.#ports.owner.auditEvent(seq);
    const shown = payload === null ? null : toSegments(JSON.stringify(payload, null, 2), { multiline: true });
    return { seq, hash, payload: shown };
  }

  verify(): Promise<AuditVerdict> {
    return this.#alone('verify', (signal) =>
      this.#ports.owner.verifyAudit((progress) => this.#ports.progress({ job: 'verify', ...progress }), signal),
    );
  }

  /** Writes to a file that the owner names; one that is given up or fails is taken away again. */
  export(format: AuditFormat, filter: AuditFilter): Promise<AuditExported> {
    return this.#alone('export', async (signal) => {
      const file = await this.#ports.chooseFile(`oauth3-audit.${format}`);
      if (file === null) return null;
      const handle = await openOwn(file);
      let events = 0;
      let whole = false;
      try {
        for await (const part of this.#ports.owner.exportAudit(format, filter)) {
          if (signal.aborted) return { file, events, cancelled: true };
          await handle.writeFile(part);
          events += linesIn(part, format);
          this.#ports.progress({ job: 'export', done: events, total: events });
        }
        whole = true;
        return { file, events: Math.max(0, events), cancelled: false };
      } catch (error) {
        throw isFileError(error) ? unwritable(error) : error;
      } finally {
        await handle.close();
        if (!whole) await rm(file, { force: true });
      }
    });
  }

  /** Ends what runs of this kind. */
  cancel(job: AuditWork['job']): void {
    this.#running.get(job)?.abort(new CodedError('invalid_request', 'Stopped.'));
  }

  dispose(): void {
    for (const running of this.#running.values()) running.abort(new CodedError('invalid_request', 'Stopped.'));
  }

  async #alone<Result>(job: AuditWork['job'], work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    if (this.#running.has(job)) throw new CodedError('invalid_request', 'This is being done already.');
    const controller = new AbortController();
    this.#running.set(job, controller);
    try {
      return await work(controller.signal);
    } finally {
      this.#running.delete(job);
    }
  }
}

/** Nobody else may read what is in it, also where the file was there before and others could. */
async function openOwn(file: string): Promise<FileHandle> {
  try {
    const handle = await open(file, 'w', 0o600);
    if (process.platform !== 'win32') await handle.chmod(0o600);
    return handle;
  } catch (error) {
    throw unwritable(error);
  }
}

const isFileError = (error: unknown): boolean => error instanceof Error && 'syscall' in error;

function unwritable(cause: unknown): CodedError {
  const found = new CodedError('invalid_request', 'This file cannot be written.', {
    hint: 'Choose another place, or make room on the disk.',
  });
  found.cause = cause;
  return found;
}

/** A payload never holds a bare line end: JSON writes it as two characters. The heading of a CSV is no event. */
function linesIn(part: string, format: AuditFormat): number {
  const count = part.split('\n').length - 1;
  return format === 'csv' && part.startsWith('seq,') ? count - 1 : count;
}

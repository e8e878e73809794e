import { useEffect, useState } from 'react';
import type { AuditFilter, AuditFormat, AuditWork } from '../../../../contract/audit.ts';
import { messageOf, unwrap } from '../../../shared/api.ts';
import { Button } from '../../../shared/Button.tsx';
import { counted } from '../../../shared/counted.ts';
import type { PageProps } from '../../App.tsx';
import { Actions } from '../../Page.tsx';
import styles from './Audit.module.css';

type Said = Readonly<{ text: string; bad: boolean }>;
type ChainBarProps = Readonly<{ api: PageProps['api']; filter: AuditFilter }>;

/** Checks the chain, and takes the log away as a file; both can be long, so they say how far they are. */
export function ChainBar({ api, filter }: ChainBarProps) {
  const [work, setWork] = useState<AuditWork | null>(null);
  const [said, setSaid] = useState<Said | null>(null);
  useEffect(() => {
    // One that comes after the answer is of a work that has ended: taken for another, it would never end.
    const progress = (next: AuditWork) => setWork((now) => (now?.job === next.job ? next : now));
    return api.on('auditWork', progress);
  }, [api]);

  async function during(job: AuditWork['job'], act: () => Promise<Said | null>) {
    setSaid(null);
    setWork({ job, done: 0, total: 0 });
    try {
      setSaid(await act());
    } catch (error) {
      setSaid({ text: messageOf(error), bad: true });
    } finally {
      setWork(null);
    }
  }
  const verify = () =>
    during('verify', async () => {
      const { ok, events, broken_at, reason } = await unwrap(api.calls.verifyAudit(null));
      return ok
        ? { text: `The chain of ${counted(events, 'event')} is whole.`, bad: false }
        : { text: `The chain is broken at event ${broken_at}: ${reason}`, bad: true };
    });
  const take = (format: AuditFormat) =>
    during('export', async () => {
      const done = await unwrap(api.calls.exportAudit({ format, filter }));
      if (done === null) return null;
      if (done.cancelled) return { text: 'Stopped; no file was left.', bad: false };
      return { text: `Saved ${counted(done.events, 'event')} in ${done.file}`, bad: false };
    });
  const some = Object.keys(filter).length > 0 ? 'what is listed' : 'all';
  return (
    <div className={styles.chain}>
      <Actions>
        <Button disabled={work !== null} onClick={() => void verify()}>
          Check the chain
        </Button>
        <Button
          disabled={work !== null}
          hint={`Saves ${some}, a line for each event`}
          onClick={() => void take('jsonl')}
        >
          Export JSONL…
        </Button>
        <Button disabled={work !== null} hint={`Saves ${some}, for a spreadsheet`} onClick={() => void take('csv')}>
          Export CSV…
        </Button>
        {work !== null && (
          <Button tone="quiet" onClick={() => void api.calls.cancelAudit({ job: work.job })}>
            Stop
          </Button>
        )}
      </Actions>
      {work !== null && <p role="status">{progressText(work)}</p>}
      {said !== null && (
        <p role={said.bad ? 'alert' : 'status'} data-bad={said.bad}>
          {said.text}
        </p>
      )}
    </div>
  );
}

function progressText({ job, done, total }: AuditWork): string {
  if (job === 'export') return done === 0 ? 'Choose a file…' : `${counted(done, 'event')} written`;
  return total === 0 ? 'Checking…' : `${done.toLocaleString('en')} of ${counted(total, 'event')} checked`;
}

import { useEffect, useState } from 'react';
import { isolationNames, runtimeNames } from '../../../../contract/runtime.ts';
import type { RunDetail, RunPulse, StreamView } from '../../../../contract/runView.ts';
import { unwrap } from '../../../shared/api.ts';
import { Button } from '../../../shared/Button.tsx';
import { Segments } from '../../../shared/Segments.tsx';
import { useLoaded } from '../../../shared/useLoaded.ts';
import type { PageProps } from '../../App.tsx';
import { ConfirmButton } from '../../ConfirmButton.tsx';
import { Actions, FactList, PageFrame } from '../../Page.tsx';
import { PartTabs } from '../../PartTabs.tsx';
import { useAction } from '../../useAction.ts';
import { Exchanges } from './Exchanges.tsx';
import styles from './Runs.module.css';
import { TextView } from './TextView.tsx';

type RunViewProps = Readonly<{
  api: PageProps['api'];
  changes: number;
  id: string;
  close: () => void;
  openAudit: () => void;
}>;

/** One request with everything that is kept of it, followed while it runs. */
export function RunView({ api, changes, id, close, openAudit }: RunViewProps) {
  const loaded = useLoaded(() => unwrap(api.calls.run({ id })), changes);
  const { problem, act } = useAction(loaded.reload);
  const [pulse, setPulse] = useState<RunPulse | null>(null);
  useEffect(() => {
    const stop = api.on('runOutput', (next) => {
      if (next.id === id) setPulse(next);
    });
    void api.calls.watchRun({ id });
    return () => {
      stop();
      void api.calls.watchRun(null);
    };
  }, [api, id]);
  const run = loaded.value;
  const now = pulse ?? run?.pulse ?? null;
  return (
    <PageFrame
      title={run === null ? 'Run' : <Segments of={run.skill} />}
      problem={problem ?? loaded.problem}
      actions={
        <Actions>
          {run?.status === 'running' && (
            <ConfirmButton
              question="Stop this run?"
              detail="Its sandbox is ended at once. What it has done outside stays done."
              action="Stop it"
              onConfirm={() => void act(() => unwrap(api.calls.killRun({ id })))}
            >
              Stop
            </ConfirmButton>
          )}
          <Button onClick={close}>All runs</Button>
        </Actions>
      }
    >
      {run !== null && now !== null && <Parts api={api} run={run} pulse={now} openAudit={openAudit} />}
    </PageFrame>
  );
}

type PartsProps = Readonly<{ api: PageProps['api']; run: RunDetail; pulse: RunPulse; openAudit: () => void }>;

function Parts({ api, run, pulse, openAudit }: PartsProps) {
  const { id } = run;
  const code = run.codeKept ? (
    <>
      <p className={styles.quiet}>
        {run.codeBytes} bytes, sha256 <code>{run.codeHash}</code>
      </p>
      <TextView api={api} id={id} part="code" label="Code that was decided about" empty="No code." />
      {run.hasArguments && (
        <>
          <h2>Arguments</h2>
          <TextView api={api} id={id} part="arguments" label="Arguments" empty="None." />
        </>
      )}
    </>
  ) : (
    <p className={styles.quiet}>The code is no longer kept; its hash is {run.codeHash}.</p>
  );
  const { exchanges } = pulse;
  return (
    <>
      <p className={styles.state} data-status={run.status}>
        <strong>{run.status}</strong> <Segments of={run.sentence} />
      </p>
      <PartTabs
        label="Parts of this run"
        parts={[
          { name: 'Output', content: <Output api={api} run={run} pulse={pulse} /> },
          {
            name: 'Network',
            more: exchanges === 0 ? '' : ` (${exchanges})`,
            content: <Exchanges api={api} id={id} total={exchanges} />,
          },
          { name: 'Code', content: code },
          { name: 'Manifest', content: <Manifest api={api} run={run} /> },
          { name: 'Timeline', content: <Timeline run={run} openAudit={openAudit} /> },
        ]}
      />
    </>
  );
}

const noOutput = {
  none: 'Nothing ran, so there is no output.',
  gone: 'The output is older than the settings keep it.',
} as const;

function Output({ api, run, pulse }: Omit<PartsProps, 'openAudit'>) {
  if (run.output === 'none' || run.output === 'gone') return <p className={styles.quiet}>{noOutput[run.output]}</p>;
  const isLive = run.status === 'running';
  return (
    <>
      {pulse.truncated && <p role="note">It wrote more than is kept; what follows was left out.</p>}
      {pulse.redactions > 0 && (
        <p className={styles.quiet}>
          {pulse.redactions === 1 ? 'A secret was masked once.' : `Secrets were masked ${pulse.redactions} times.`}
        </p>
      )}
      <Stream api={api} id={run.id} part="stdout" of={pulse.stdout} follow={isLive} />
      <Stream api={api} id={run.id} part="stderr" of={pulse.stderr} follow={isLive} />
    </>
  );
}

type StreamProps = Readonly<{
  api: PageProps['api'];
  id: string;
  part: 'stdout' | 'stderr';
  of: StreamView;
  follow: boolean;
}>;

const streamNames = { stdout: 'Output', stderr: 'Errors and notes (stderr)' } as const;

function Stream({ api, id, part, of, follow }: StreamProps) {
  if (of.characters === 0 && part === 'stderr') return null;
  return (
    <>
      <h2>
        {streamNames[part]}
        {of.lines > 1 && <small> {of.lines} lines</small>}
      </h2>
      <TextView
        api={api}
        id={id}
        part={part}
        label={streamNames[part]}
        grown={of.characters}
        follow={follow}
        empty={follow ? 'Nothing yet.' : 'It wrote nothing.'}
      />
    </>
  );
}

function Manifest({ api, run }: Pick<PartsProps, 'api' | 'run'>) {
  const [canonical, setCanonical] = useState(false);
  const part = canonical ? 'canonical' : 'manifest';
  return (
    <>
      <p role={run.manifestMatches ? undefined : 'alert'} className={styles.quiet}>
        {run.manifestMatches
          ? 'Exactly this was decided about: what is kept has the digest of the decision.'
          : 'What is kept does not have the digest of the decision. Do not trust it.'}{' '}
        Digest <code>{run.manifestDigest}</code>
      </p>
      <label>
        <input type="checkbox" checked={canonical} onChange={(event) => setCanonical(event.target.checked)} /> As it is
        hashed (RFC 8785)
      </label>
      <TextView key={part} api={api} id={run.id} part={part} label="Manifest" empty="No manifest is kept." />
    </>
  );
}

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const when = (ms: number | null): string => (ms === null ? 'never' : moment.format(ms));
const span = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

function Timeline({ run, openAudit }: Readonly<{ run: RunDetail; openAudit: () => void }>) {
  const { decided } = run;
  const how = decided.trusted ? 'ran by trust, nobody was asked' : (decided.verdict ?? 'not decided');
  return (
    <>
      <FactList
        label="Timeline"
        facts={[
          ['Agent', <Segments key="agent" of={run.agent} />],
          ['Asked', when(run.createdAtMs)],
          [
            'Decided',
            `${when(run.decidedAtMs)}${run.decidedAtMs === null ? '' : `, after ${span(run.decidedAtMs - run.createdAtMs)}`}`,
          ],
          ['Decision', `${how}${decided.by === null ? '' : `, ${decided.by}`}`],
          ...(decided.reason === null
            ? []
            : [['The agent was told', <Segments key="reason" of={decided.reason} />] as const]),
          ['Started', startText(run)],
          ['Ended', `${when(run.finishedAtMs)}${run.durationMs === null ? '' : `, ran ${span(run.durationMs)}`}`],
          [
            'Runs in',
            run.runtime === null || run.isolation === null
              ? 'unknown'
              : `${runtimeNames[run.runtime]}, ${isolationNames[run.isolation]}`,
          ],
          [
            'Time limit',
            run.timeoutMs === null ? 'unknown' : `${span(run.timeoutMs)}${run.timedOut ? ', which it reached' : ''}`,
          ],
          ['Exit code', run.exitCode === null ? 'none' : String(run.exitCode)],
          ['Request', <code key="id">{run.id}</code>],
        ]}
      />
      <Actions>
        <Button onClick={openAudit}>What the audit says of it</Button>
      </Actions>
    </>
  );
}

function startText({ startedAtMs, decidedAtMs, createdAtMs }: RunDetail): string {
  if (startedAtMs === null) return 'never';
  return `${when(startedAtMs)}, after waiting ${span(startedAtMs - (decidedAtMs ?? createdAtMs))} for its turn`;
}

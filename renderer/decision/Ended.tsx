import { useEffect, useRef, useState } from 'react';
import type { DecisionContract, DecisionState } from '../../contract/ipc.ts';
import { type Api, messageOf, unwrap } from '../shared/api.ts';
import { Button } from '../shared/Button.tsx';
import styles from './Ended.module.css';
import { LongText } from './LongText.tsx';

type EndedState = Extract<DecisionState, { kind: 'ended' }>;
type EndedProps = Readonly<{ api: Api<DecisionContract>; state: EndedState; close: () => void }>;

const signs = { approved: '✓', denied: '✕', expired: '⌛', cancelled: '–', withdrawn: '–' } as const;

/** What became of the card. The buttons are gone: there is nothing left to decide, here or elsewhere. */
export function Ended({ api, state, close }: EndedProps) {
  const { key, outcome, sentence, pause } = state;
  const heading = useRef<HTMLHeadingElement>(null);
  // The button that had the focus is gone; who listens hears how it ended.
  useEffect(() => heading.current?.focus(), []);
  return (
    <main className={styles.ended} data-outcome={outcome.kind}>
      <span className={styles.sign} aria-hidden="true">
        {signs[outcome.kind]}
      </span>
      <h1 ref={heading} tabIndex={-1}>
        {outcome.text}
      </h1>
      <div className={styles.what}>
        <LongText of={sentence} label="What was asked" />
      </div>
      {pause !== undefined && <PauseOffer api={api} {...pause} />}
      <div className={styles.buttons}>
        {key.subject === 'run' && outcome.kind === 'approved' && (
          <Button tone="primary" onClick={() => void api.calls.showRun(null)}>
            Show the run
          </Button>
        )}
        <Button onClick={close}>Close</Button>
      </div>
    </main>
  );
}

type PauseProps = Readonly<{ api: Api<DecisionContract>; agent: string; done: boolean }>;

function PauseOffer({ api, agent, done }: PauseProps) {
  const [problem, setProblem] = useState<string | null>(null);
  async function pause() {
    try {
      await unwrap(api.calls.pauseAgent(null));
    } catch (error) {
      setProblem(messageOf(error));
    }
  }
  return (
    <section className={styles.offer} aria-label={`Pause ${agent}`}>
      {done ? (
        <p role="status">{agent} is paused. It can ask again once you resume it on the Agents page.</p>
      ) : (
        <>
          <p>You denied {agent} three times in a row. Paused, it cannot ask for anything until you resume it.</p>
          <Button onClick={pause}>Pause {agent}</Button>
        </>
      )}
      {problem !== null && <p role="alert">{problem}</p>}
    </section>
  );
}

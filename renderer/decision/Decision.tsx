import { useEffect, useState } from 'react';
import type { DecisionContract, DecisionState } from '../../contract/ipc.ts';
import { type Api, unwrap } from '../shared/api.ts';
import { Button } from '../shared/Button.tsx';
import { Segments } from '../shared/Segments.tsx';
import { CardView } from './CardView.tsx';
import styles from './Decision.module.css';

/** The whole decision view: one card, or how it ended. Main pushes the state; nothing is remembered here. */
export function Decision({ api }: Readonly<{ api: Api<DecisionContract> }>) {
  const [state, setState] = useState<DecisionState | null>(null);
  useEffect(() => {
    const stop = api.on('state', setState);
    unwrap(api.calls.current(null)).then(setState, () => setState(null));
    return stop;
  }, [api]);
  const close = () => void api.calls.close(null);
  useEffect(() => {
    // Leaves it undecided.
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape') void api.calls.close(null);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [api]);
  if (state === null) return null;
  if (state.kind === 'ended') {
    return (
      <main className={styles.ended} data-outcome={state.outcome.kind}>
        <h1>{state.outcome.text}</h1>
        <p>
          <Segments of={state.sentence} />
        </p>
        <Button onClick={close}>Close</Button>
      </main>
    );
  }
  // Each turn is a card of its own: its key drops every half-taken step.
  const { card, turn, armsInMs } = state;
  return <CardView key={turn} api={api} card={card} turn={turn} armsInMs={armsInMs} close={close} />;
}

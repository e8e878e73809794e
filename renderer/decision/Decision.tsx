import { useEffect, useState } from 'react';
import type { DecisionContract, DecisionState } from '../../contract/ipc.ts';
import { type Api, unwrap } from '../shared/api.ts';
import { Button } from '../shared/Button.tsx';
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
  if (state === null) return null;
  const close = () => void api.calls.close(null);
  if (state.kind === 'ended') {
    return (
      <main className={styles.ended} data-outcome={state.outcome.kind}>
        <h1>{state.outcome.text}</h1>
        <Button onClick={close}>Close</Button>
      </main>
    );
  }
  // A changed card is another card: its key drops every half-taken step.
  return (
    <CardView
      key={`${state.card.id}:${state.card.revision}`}
      api={api}
      card={state.card}
      armsInMs={state.armsInMs}
      close={close}
    />
  );
}

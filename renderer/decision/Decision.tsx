import { useEffect, useState } from 'react';
import type { DecisionContract, DecisionState } from '../../contract/ipc.ts';
import { type Api, unwrap } from '../shared/api.ts';
import { CardView } from './CardView.tsx';
import { Ended } from './Ended.tsx';

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
  // Without a card this view is not over the window; this is there for the moment between.
  if (state === null) return <main aria-label="No request is open" />;
  if (state.kind === 'ended') return <Ended api={api} state={state} close={close} />;
  // Each turn is a card of its own: its key drops every half-taken step.
  return <CardView key={state.turn} api={api} state={state} close={close} />;
}

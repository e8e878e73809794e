import { useCallback, useEffect, useRef, useState } from 'react';
import type { Card } from '../../contract/card.ts';
import type { DecisionContract, DecisionState } from '../../contract/ipc.ts';
import type { Api } from '../shared/api.ts';
import { Button } from '../shared/Button.tsx';
import { CardFacts } from './CardFacts.tsx';
import styles from './CardView.module.css';
import { CodeSection } from './code/CodeSection.tsx';
import { DecisionBar } from './DecisionBar.tsx';
import { LongText } from './LongText.tsx';
import { MissingSecret } from './MissingSecret.tsx';
import { TimeLeft } from './TimeLeft.tsx';
import { UnboundSecret } from './UnboundSecret.tsx';
import { useBelow } from './useBelow.ts';

type CardViewProps = Readonly<{
  api: Api<DecisionContract>;
  state: Extract<DecisionState, { kind: 'card' }>;
  close: () => void;
}>;

/** Facts first, in prose, with what blocks among them; then the code; the buttons stay in sight at the bottom. */
export function CardView({ api, state, close }: CardViewProps) {
  const { card, turn } = state;
  const scroller = useRef<HTMLElement>(null);
  const below = useBelow(scroller);
  // Main sends the card anew with every change of its state; the code of one turn is the same one.
  const [{ code, earlier }] = useState<Pick<Card, 'code' | 'earlier'>>(card);
  const [isDrawn, setDrawn] = useState(code === undefined);
  const drawn = useCallback(() => setDrawn(true), []);
  useEffect(() => {
    if (!isDrawn) return;
    // The second frame starts once the first one, with the whole card in it, is on the screen.
    let frame = requestAnimationFrame(() => {
      frame = requestAnimationFrame(() => void api.calls.drawn({ turn }));
    });
    return () => cancelAnimationFrame(frame);
  }, [api, turn, isDrawn]);
  const addTime = (minutes: number): void => void api.calls.extend({ minutes });
  return (
    <main className={styles.card} aria-labelledby="sentence">
      <header className={styles.header}>
        <h1 id="sentence">
          <LongText of={card.sentence} label="Who asks for what" />
        </h1>
        <div className={styles.meta}>
          <TimeLeft untilMs={card.expiresAtMs} addTime={card.subject === 'run' ? addTime : null} />
          <span className={styles.gap} />
          <Button tone="quiet" label="Close; nothing is decided" hint="Nothing is decided" onClick={close}>
            ✕
          </Button>
        </div>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <section className={styles.scroll} tabIndex={0} aria-label="What would run" ref={scroller}>
        <div className={styles.content}>
          <CardFacts card={card}>
            {card.missingSecrets.map((name) => (
              <MissingSecret key={name} api={api} name={name} hosts={card.bindableHosts ?? []} />
            ))}
            {card.unboundSecrets.map((secret) => (
              <UnboundSecret key={secret.name} api={api} card={card} secret={secret} />
            ))}
          </CardFacts>
          {code !== undefined && <CodeSection code={code} earlier={earlier} scroller={scroller} onDrawn={drawn} />}
        </div>
      </section>
      <DecisionBar api={api} state={state} below={below} />
    </main>
  );
}

import { useEffect } from 'react';
import type { Card } from '../../contract/card.ts';
import type { DecisionContract } from '../../contract/ipc.ts';
import type { Api } from '../shared/api.ts';
import { Button } from '../shared/Button.tsx';
import { Countdown } from '../shared/Countdown.tsx';
import { Segments } from '../shared/Segments.tsx';
import styles from './CardView.module.css';
import { CodeListing } from './CodeListing.tsx';
import { DecisionBar } from './DecisionBar.tsx';
import { MissingSecret } from './MissingSecret.tsx';
import { UnboundSecret } from './UnboundSecret.tsx';

type CardViewProps = Readonly<{
  api: Api<DecisionContract>;
  card: Card;
  turn: number;
  armsInMs: number | null;
  close: () => void;
}>;

/** Facts first, in prose; then what blocks; then the code; the buttons stay in sight at the bottom. */
export function CardView({ api, card, turn, armsInMs, close }: CardViewProps) {
  useEffect(() => {
    // The second frame starts once the first one, with the whole card in it, is on the screen.
    let frame = requestAnimationFrame(() => {
      frame = requestAnimationFrame(() => void api.calls.drawn({ turn }));
    });
    return () => cancelAnimationFrame(frame);
  }, [api, turn]);
  return (
    <main className={styles.card} aria-labelledby="sentence">
      <header className={styles.header}>
        <h1 id="sentence">
          <Segments of={card.sentence} />
        </h1>
        <div className={styles.meta}>
          <Countdown untilMs={card.expiresAtMs} />
          {card.subject === 'run' && (
            <Button tone="quiet" hint="Wait 30 minutes from now" onClick={() => void api.calls.extend({ minutes: 30 })}>
              More time
            </Button>
          )}
          <Button tone="quiet" label="Close; nothing is decided" hint="Nothing is decided" onClick={close}>
            ✕
          </Button>
        </div>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <section className={styles.scroll} tabIndex={0} aria-label="What would run">
        <dl className={styles.facts}>
          {card.facts.map((fact) => (
            <div key={fact.key} className={styles[fact.tone]}>
              <dt>{fact.label}</dt>
              <dd>
                <Segments of={fact.value} />
              </dd>
            </div>
          ))}
        </dl>
        {card.findings.length > 0 && <Findings of={card.findings} />}
        {card.missingSecrets.map((name) => (
          <MissingSecret key={name} api={api} name={name} />
        ))}
        {card.unboundSecrets.map((secret) => (
          <UnboundSecret key={secret.name} api={api} card={card} secret={secret} />
        ))}
        {card.quotes.map((quote) => (
          <figure key={quote.label} className={styles.quote}>
            <figcaption>{quote.label}</figcaption>
            <blockquote>
              <Segments of={quote.text} />
            </blockquote>
          </figure>
        ))}
        {card.code !== undefined && <CodeListing code={card.code} />}
      </section>
      <DecisionBar api={api} card={card} armsInMs={armsInMs} />
    </main>
  );
}

function Findings({ of }: Readonly<{ of: Card['findings'] }>) {
  return (
    <ul className={styles.findings} aria-label="What the code was seen to do">
      {of.map((finding, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: findings have no identity but their place
        <li key={index} data-severity={finding.severity}>
          <Segments of={finding.text} />
        </li>
      ))}
    </ul>
  );
}

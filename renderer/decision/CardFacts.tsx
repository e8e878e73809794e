import type { ReactNode } from 'react';
import type { Card } from '../../contract/card.ts';
import styles from './CardView.module.css';
import { Facts } from './Facts.tsx';
import { factGroups } from './factGroups.ts';
import { LongText } from './LongText.tsx';
import { Warnings } from './Warnings.tsx';

type CardFactsProps = Readonly<{
  card: Card;
  /** Steps that the owner has to take about secrets. */
  children: ReactNode;
}>;

/** All that is known of a card but its code: what is new, what goes where, what bounds it, what it does, what was said. */
export function CardFacts({ card, children }: CardFactsProps) {
  const { news, reach, rest } = factGroups(card.facts);
  return (
    <>
      {news.length + card.changes.length > 0 && (
        <Part title="What is new">
          {card.changes.length > 0 && <Warnings of={card.changes} label="What is new" />}
          {news.map(({ label, value, tone }) => (
            <div
              key={label}
              className={styles.news}
              data-tone={tone}
              data-weight={tone === 'plain' || card.changes.length > 0 ? undefined : weights[tone]}
            >
              <LongText of={value} label={label} />
            </div>
          ))}
        </Part>
      )}
      {reach.length > 0 && (
        <Part title="Secrets and hosts">
          <Facts of={reach} />
        </Part>
      )}
      {children}
      {rest.length > 0 && (
        <Part title={reach.length > 0 ? 'How it runs' : 'Details'}>
          <Facts of={rest} />
        </Part>
      )}
      {card.findings.length > 0 && (
        <Part title="What the code was seen to do">
          <Warnings of={card.findings} label="What the code was seen to do" />
        </Part>
      )}
      {card.quotes.map(({ label, text }) => (
        <figure key={label} className={styles.quote}>
          <figcaption>
            {label} <span>(its own words, checked by nobody)</span>
          </figcaption>
          <blockquote>
            <LongText of={text} label={label} />
          </blockquote>
        </figure>
      ))}
    </>
  );
}

const weights = { notice: 'warn', danger: 'danger' } as const;

function Part({ title, children }: Readonly<{ title: string; children: ReactNode }>) {
  return (
    <section className={styles.part} aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

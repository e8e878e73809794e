import type { CardFact } from '../../contract/card.ts';
import styles from './Facts.module.css';
import { LongText } from './LongText.tsx';

const weights = { plain: undefined, notice: 'warn', danger: 'danger' } as const;

/** Facts as rows of a name and what is so. Main made every word of them. */
export function Facts({ of }: Readonly<{ of: readonly CardFact[] }>) {
  return (
    <dl className={styles.facts}>
      {of.map(({ key, label, tone, value }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a key may come more than once
        <div key={`${key} ${index}`} className={styles[tone]} data-weight={weights[tone]}>
          <dt>
            {label}
            {tone === 'danger' && <span className={styles.spoken}> (warning)</span>}
          </dt>
          <dd>
            <LongText of={value} label={label} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

import type { CardChange } from '../../contract/card.ts';
import { heaviestFirst } from './factGroups.ts';
import { LongText } from './LongText.tsx';
import styles from './Warnings.module.css';

type Sentence = Pick<CardChange, 'severity' | 'text'>;

const spoken = { danger: 'Danger: ', warn: 'Warning: ', info: '' } as const;

/** Sentences of main, one a line, what weighs most first. */
export function Warnings({ of, label }: Readonly<{ of: readonly Sentence[]; label: string }>) {
  return (
    <ul className={styles.warnings} aria-label={label}>
      {heaviestFirst(of).map(({ severity, text }, index) => (
        <li
          // biome-ignore lint/suspicious/noArrayIndexKey: these have no identity but their place
          key={index}
          data-severity={severity}
          data-weight={severity === 'info' ? undefined : severity}
        >
          <span>
            <span className={styles.spoken}>{spoken[severity]}</span>
            <LongText of={text} label={label} />
          </span>
        </li>
      ))}
    </ul>
  );
}

import { type RefObject, useEffect } from 'react';
import { Button } from '../../shared/Button.tsx';
import styles from './code.module.css';
import { MAX_HITS } from './search.ts';

type SearchBarProps = Readonly<{
  input: RefObject<HTMLInputElement | null>;
  wanted: string;
  onChange: (wanted: string) => void;
  count: number;
  current: number;
  go: (by: 1 | -1) => void;
  close: () => void;
}>;

/** Finds text in the code; Enter goes on, Shift+Enter back, Esc ends the search and not the card. */
export function SearchBar({ input, wanted, onChange, count, current, go, close }: SearchBarProps) {
  useEffect(() => input.current?.focus(), [input]);
  const counted = count === MAX_HITS ? `${MAX_HITS} or more` : String(count);
  return (
    <search className={styles.search}>
      <input
        ref={input}
        type="text"
        aria-label="Find in code"
        placeholder="Find in code"
        value={wanted}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') go(event.shiftKey ? -1 : 1);
          if (event.key !== 'Escape') return;
          event.stopPropagation();
          close();
        }}
      />
      <span role="status">{wanted === '' ? '' : count === 0 ? 'not found' : `${current + 1} of ${counted}`}</span>
      <Button tone="quiet" label="Previous" disabled={count === 0} onClick={() => go(-1)}>
        ↑
      </Button>
      <Button tone="quiet" label="Next" disabled={count === 0} onClick={() => go(1)}>
        ↓
      </Button>
      <Button tone="quiet" label="End the search" onClick={close}>
        ✕
      </Button>
    </search>
  );
}

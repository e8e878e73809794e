import { useEffect, useState } from 'react';
import { Button } from '../shared/Button.tsx';
import styles from './CardView.module.css';
import { moreMinutes, timeLeftText } from './timeLeft.ts';

type TimeLeftProps = Readonly<{
  /** UTC milliseconds. */
  untilMs: number;
  /** Absent where no time can be added. */
  addTime: ((minutesFromNow: number) => void) | null;
}>;

const soonMs = 60_000;

/** How long the card waits, in words, and more of it. Nothing runs when it is over. */
export function TimeLeft({ untilMs, addTime }: TimeLeftProps) {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const leftMs = untilMs - nowMs;
  return (
    <>
      <span
        role="timer"
        className={styles.time}
        data-soon={leftMs < soonMs}
        title="When it is over, the request ends and nothing runs"
      >
        {timeLeftText(leftMs)}
      </span>
      {addTime !== null && (
        <Button
          tone="quiet"
          hint="The request waits half an hour longer"
          onClick={() => addTime(moreMinutes(untilMs - Date.now()))}
        >
          Add time
        </Button>
      )}
    </>
  );
}

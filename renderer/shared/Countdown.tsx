import { useEffect, useState } from 'react';

/** Time left until `untilMs` (UTC milliseconds), as minutes and seconds; says so when it is over. */
export function Countdown({ untilMs }: Readonly<{ untilMs: number }>) {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.ceil((untilMs - nowMs) / 1000));
  if (seconds === 0) return <span>expired</span>;
  const minutes = Math.floor(seconds / 60);
  return (
    <span title="Time left; with no answer nothing runs">
      {minutes}:{String(seconds % 60).padStart(2, '0')} left
    </span>
  );
}

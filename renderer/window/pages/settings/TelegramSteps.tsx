import { type ReactNode, useEffect, useRef } from 'react';
import { unwrap } from '../../../shared/api.ts';
import { Button } from '../../../shared/Button.tsx';
import { Actions } from '../../Page.tsx';
import styles from './Telegram.module.css';
import type { TelegramPart } from './Telegram.tsx';
import { TelegramInvite } from './TelegramInvite.tsx';
import { TelegramTest } from './TelegramTest.tsx';
import { TelegramToken } from './TelegramToken.tsx';

/** Token, code, test card: one after the other, and only the one that is next is open. */
export function TelegramSteps(part: TelegramPart & Readonly<{ done: () => void }>) {
  const { api, act, view, done } = part;
  const person = view.members.some(({ kind }) => kind === 'person');
  const now = view.source === 'none' || view.bot === null ? 1 : person ? 3 : 2;
  return (
    <section aria-labelledby="telegram-steps" className={styles.steps}>
      <h2 id="telegram-steps">Decide from your phone</h2>
      <p>A Telegram bot of your own shows you the same cards. Three steps, two minutes.</p>
      <ol>
        <Step number={1} now={now} title="Make a bot and give its token" told={`Your bot is @${view.bot ?? ''}.`}>
          {view.problem !== null && <p role="alert">{view.problem}.</p>}
          <TelegramToken {...part} />
        </Step>
        <Step number={2} now={now} title="Show the bot that it is you" told="You are the one who decides there.">
          <TelegramInvite {...part} kind="person" />
          {view.invitation === null && (
            <Actions>
              <Button tone="quiet" onClick={() => void act(() => unwrap(api.calls.telegramDisconnect(null)))}>
                Use another bot
              </Button>
            </Actions>
          )}
        </Step>
        <Step number={3} now={now} title="Try it with a test card" told="">
          <TelegramTest {...part} bare>
            <Button tone={view.test?.state === 'works' ? 'primary' : 'quiet'} onClick={done}>
              {view.test?.state === 'works' ? 'Done' : 'Skip this'}
            </Button>
          </TelegramTest>
        </Step>
      </ol>
    </section>
  );
}

type StepProps = Readonly<{ number: number; now: number; title: string; told: string; children: ReactNode }>;

function Step({ number, now, title, told, children }: StepProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const before = useRef(now);
  useEffect(() => {
    // The button that was pressed is gone: the next step is where the keyboard and the screen reader go on.
    if (now === number && before.current !== now) heading.current?.focus();
    before.current = now;
  }, [now, number]);
  const isDone = number < now;
  return (
    <li aria-current={number === now ? 'step' : undefined} data-done={isDone}>
      <span className={styles.mark} aria-hidden="true">
        {isDone ? '✓' : number}
      </span>
      <div>
        <h3 ref={heading} tabIndex={-1}>
          {title}
          {isDone && <span className={styles.unseen}>, done</span>}
        </h3>
        {isDone && <p>{told}</p>}
        {number === now && <div className={styles.body}>{children}</div>}
      </div>
    </li>
  );
}

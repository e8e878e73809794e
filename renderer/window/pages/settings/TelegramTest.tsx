import { type ReactNode, useState } from 'react';
import { unwrap } from '../../../shared/api.ts';
import { Button } from '../../../shared/Button.tsx';
import { Segments } from '../../../shared/Segments.tsx';
import { Actions, Panel } from '../../Page.tsx';
import styles from './Telegram.module.css';
import type { TelegramPart } from './Telegram.tsx';

/** A card that decides nothing; the press of its button is seen here. */
export function TelegramTest({
  api,
  act,
  view,
  bare = false,
  children,
}: TelegramPart & Readonly<{ bare?: boolean; children?: ReactNode }>) {
  const [sending, setSending] = useState(false);
  const works = view.test?.state === 'works';
  async function send() {
    setSending(true);
    await act(() => unwrap(api.calls.telegramTest(null)));
    setSending(false);
  }
  const content = (
    <>
      <p role="status" className={works ? styles.works : styles.name}>
        {view.test === null ? (
          'It looks like a card, has one button, and runs nothing.'
        ) : (
          <Segments of={view.test.text} />
        )}
      </p>
      <Actions>
        <Button tone={bare && !works ? 'primary' : 'plain'} disabled={sending} onClick={() => void send()}>
          {view.test === null ? 'Send a test card' : 'Send it again'}
        </Button>
        {children}
      </Actions>
    </>
  );
  return bare ? content : <Panel label="Test card">{content}</Panel>;
}

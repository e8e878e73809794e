import { useEffect, useRef } from 'react';
import type { MemberKind, TelegramInvitation } from '../../../../contract/telegramView.ts';
import { unwrap } from '../../../shared/api.ts';
import { Button } from '../../../shared/Button.tsx';
import { Countdown } from '../../../shared/Countdown.tsx';
import { Segments } from '../../../shared/Segments.tsx';
import { Actions } from '../../Page.tsx';
import styles from './Telegram.module.css';
import type { TelegramPart } from './Telegram.tsx';

/** A code that only this window shows; whoever sends it to the bot is shown here, and let in by the owner's own yes. */
export function TelegramInvite({ api, act, view, kind }: TelegramPart & Readonly<{ kind: MemberKind }>) {
  const { invitation, invitationEnded, bot } = view;
  const make = () => act(() => unwrap(api.calls.telegramInvite({ kind })));
  const cancel = () => act(() => unwrap(api.calls.telegramCancelInvite(null)));
  if (invitation === null || invitation.kind !== kind) {
    return (
      <>
        <p role="status">{invitationEnded ?? 'Only this window shows the code: whoever sends it sits here.'}</p>
        {view.problem !== null && view.connection === 'disconnected' && <p role="alert">{view.problem}.</p>}
        <Actions>
          <Button tone="primary" onClick={() => void make()}>
            {invitationEnded === null ? 'Show me a code' : 'Make a new code'}
          </Button>
        </Actions>
      </>
    );
  }
  if (invitation.claim !== null) return <Claim {...{ api, act, view }} invitation={invitation} cancel={cancel} />;
  return (
    <>
      <p>
        {kind === 'person'
          ? `Send this to @${bot ?? 'your bot'} in Telegram:`
          : `Add @${bot ?? 'your bot'} to the group and send this there:`}
      </p>
      <code className={styles.code} data-testid="telegram-code">
        /start {invitation.code}
      </code>
      <p>Or open this link on your phone:</p>
      <code className={styles.link}>{invitation.link}</code>
      {view.problem !== null && view.connection === 'disconnected' && <p role="alert">{view.problem}.</p>}
      <Actions>
        <Button onClick={() => void cancel()}>Cancel</Button>
        <span role="status" className={styles.waiting}>
          Waiting for the code.
        </span>
        <span className={styles.waiting}>
          <Countdown untilMs={invitation.expiresAtMs} />
        </span>
      </Actions>
    </>
  );
}

type ClaimProps = TelegramPart & Readonly<{ invitation: TelegramInvitation; cancel: () => Promise<unknown> }>;

function Claim({ api, act, invitation: { claim, kind }, cancel }: ClaimProps) {
  const question = useRef<HTMLParagraphElement>(null);
  useEffect(() => question.current?.focus(), []);
  if (claim === null) return null;
  const { chatId } = claim;
  return (
    <>
      <p ref={question} tabIndex={-1} role="status">
        <strong className={styles.name}>
          <Segments of={claim.name} />
        </strong>{' '}
        (id {chatId}) sent the code. {kind === 'person' ? 'Is this you?' : 'Is this your group?'}
      </p>
      <Actions>
        <Button tone="primary" onClick={() => void act(() => unwrap(api.calls.telegramAdmit({ chatId })))}>
          {kind === 'person' ? 'Yes, let me decide there…' : 'Yes, send cards there…'}
        </Button>
        <Button onClick={() => void cancel()}>No</Button>
      </Actions>
    </>
  );
}

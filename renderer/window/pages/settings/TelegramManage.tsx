import { useState } from 'react';
import type { MemberKind } from '../../../../contract/telegramView.ts';
import { unwrap } from '../../../shared/api.ts';
import { Button } from '../../../shared/Button.tsx';
import { Segments } from '../../../shared/Segments.tsx';
import { ConfirmButton } from '../../ConfirmButton.tsx';
import { Actions, Panel, Table } from '../../Page.tsx';
import styles from './Telegram.module.css';
import type { TelegramPart } from './Telegram.tsx';
import { TelegramInvite } from './TelegramInvite.tsx';
import { TelegramTest } from './TelegramTest.tsx';
import { TelegramToken } from './TelegramToken.tsx';

/** A bot that works: who gets its cards, and how it is changed or given up. */
export function TelegramManage(part: TelegramPart) {
  const { api, act, view } = part;
  const [replacing, setReplacing] = useState(false);
  const replace: TelegramPart['act'] = async (action) => {
    const done = await act(action);
    if (done) setReplacing(false);
    return done;
  };
  return (
    <>
      <Panel label={view.bot === null ? 'Telegram' : `@${view.bot}`}>
        <p>{view.connection === 'connected' ? 'Connected. Cards come to Telegram as well.' : 'Not connected.'}</p>
        {view.problem !== null && <p role="note">{view.problem}.</p>}
        {replacing && <p>With another bot, everybody below has to open it and press Start once.</p>}
        {replacing && <TelegramToken {...part} act={replace} />}
        <Actions>
          <Button onClick={() => setReplacing(!replacing)}>{replacing ? 'Keep the token' : 'Replace the token'}</Button>
          <ConfirmButton
            question="Disconnect Telegram?"
            detail="The token and everybody who may decide there are forgotten. Cards still come to this app."
            action="Disconnect"
            onConfirm={() => void act(() => unwrap(api.calls.telegramDisconnect(null)))}
          >
            Disconnect
          </ConfirmButton>
        </Actions>
      </Panel>
      <TelegramMembers {...part} />
      <More {...part} />
      <TelegramTest {...part} />
    </>
  );
}

/** Who gets the cards. `fixed`: the environment names them. */
export function TelegramMembers({ api, act, view, fixed = false }: TelegramPart & Readonly<{ fixed?: boolean }>) {
  if (view.members.length === 0) return null;
  return (
    <Table
      label="Who gets the cards"
      columns={['Name', 'Id', 'May', ...(fixed ? [] : [''])]}
      rows={view.members.map(({ chatId, kind, name }) => ({
        key: String(chatId),
        cells: [
          <span key="name" className={styles.name}>
            <Segments of={name} />
          </span>,
          <code key="id">{chatId}</code>,
          kind === 'person' ? 'decide' : 'see the cards',
          ...(fixed
            ? []
            : [
                <ConfirmButton
                  key="remove"
                  question={kind === 'person' ? 'Take this person out?' : 'Take this group out?'}
                  detail={`Cards do not come to ${chatId} any more, and answers from there do not count.`}
                  action="Remove"
                  onConfirm={() => void act(() => unwrap(api.calls.telegramRemove({ chatId })))}
                >
                  Remove
                </ConfirmButton>,
              ]),
        ],
      }))}
    />
  );
}

/** Another approver, or a group, in the same way as the first. */
function More(part: TelegramPart) {
  const { api, act, view } = part;
  const open = view.invitation?.kind ?? null;
  const invite = (kind: MemberKind) => act(() => unwrap(api.calls.telegramInvite({ kind })));
  return (
    <Panel label="Somebody else">
      {open === null ? (
        <>
          <p>{view.invitationEnded ?? 'Another person can decide as you do; a group sees the cards.'}</p>
          <Actions>
            <Button onClick={() => void invite('person')}>Add a person</Button>
            <Button onClick={() => void invite('group')}>Add a group</Button>
          </Actions>
        </>
      ) : (
        <TelegramInvite {...part} kind={open} />
      )}
    </Panel>
  );
}

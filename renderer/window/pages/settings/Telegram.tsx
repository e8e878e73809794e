import { useState } from 'react';
import type { TelegramView } from '../../../../contract/telegramView.ts';
import { unwrap } from '../../../shared/api.ts';
import { useLoaded } from '../../../shared/useLoaded.ts';
import { Panel } from '../../Page.tsx';
import type { SettingsPart } from './Settings.tsx';
import { TelegramManage, TelegramMembers } from './TelegramManage.tsx';
import { TelegramSteps } from './TelegramSteps.tsx';
import { TelegramTest } from './TelegramTest.tsx';

export type TelegramPart = Readonly<{
  api: SettingsPart['api'];
  /** Runs a call and reads again how things stand; false when it went wrong. */
  act: SettingsPart['act'];
  view: TelegramView;
}>;

/** The owner's bot: three steps until somebody can decide there, then who may. */
export function Telegram({ api, act, changes }: SettingsPart) {
  const loaded = useLoaded(() => unwrap(api.calls.telegram(null)), changes);
  // Whoever began the steps sees them to their end, also when the second one is done.
  const [began, setBegan] = useState(false);
  const view = loaded.value;
  if (view === null) return loaded.problem === null ? null : <p role="alert">{loaded.problem}</p>;
  const actHere: TelegramPart['act'] = async (action) => {
    const done = await act(action);
    loaded.reload();
    return done;
  };
  const part = { api, act: actHere, view };
  if (view.source === 'environment') return <FromEnvironment {...part} />;
  const isNew = view.source === 'none' || !view.members.some(({ kind }) => kind === 'person');
  if (isNew && !began) setBegan(true);
  if (isNew || began) return <TelegramSteps {...part} done={() => setBegan(false)} />;
  return <TelegramManage {...part} />;
}

function FromEnvironment(part: TelegramPart) {
  return (
    <>
      <Panel label="Telegram">
        <p>
          The bot is set by <code>TELEGRAM_BOT_TOKEN</code> and <code>TELEGRAM_CHAT_ID</code>. Change it there and start
          OAuth3 again; without them you can set it up here.
        </p>
        {part.view.problem !== null && <p role="note">{part.view.problem}.</p>}
      </Panel>
      <TelegramMembers {...part} fixed />
      <TelegramTest {...part} />
    </>
  );
}

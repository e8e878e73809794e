import { useState } from 'react';
import { unwrap } from '../../../shared/api.ts';
import { Button } from '../../../shared/Button.tsx';
import { Field } from '../../../shared/Field.tsx';
import { Actions } from '../../Page.tsx';
import type { TelegramPart } from './Telegram.tsx';

/** The token goes to main at once and does not stay in this window, right or wrong. */
export function TelegramToken({ api, act, view }: TelegramPart) {
  const [token, setToken] = useState('');
  const [asking, setAsking] = useState(false);
  async function connect() {
    if (token.trim() === '' || asking) return;
    setAsking(true);
    setToken('');
    await act(() => unwrap(api.calls.telegramConnect({ token })));
    setAsking(false);
  }
  return (
    <>
      <p>
        In Telegram write <code>/newbot</code> to <code>@BotFather</code>, choose a name, and copy the token that it
        answers with.
      </p>
      <Field
        secret
        label={view.bot === null ? 'Bot token' : 'New bot token'}
        value={token}
        onChange={setToken}
        onEnter={() => void connect()}
        maxLength={300}
        hint="It is kept encrypted in your vault and never shown again."
      />
      <Actions>
        <Button
          tone={view.bot === null ? 'primary' : 'plain'}
          disabled={token.trim() === '' || asking}
          onClick={() => void connect()}
        >
          Connect the bot
        </Button>
        {asking && <span role="status">Asking Telegram…</span>}
      </Actions>
    </>
  );
}

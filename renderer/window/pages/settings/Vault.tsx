import { useState } from 'react';
import { unwrap } from '../../../shared/api.ts';
import { Button } from '../../../shared/Button.tsx';
import { Field } from '../../../shared/Field.tsx';
import { Actions, Panel } from '../../Page.tsx';
import type { SettingsPart } from './Settings.tsx';

const shortest = 8;

/** How the vault opens, and the way back in when the keyring of this machine is lost. */
export function Vault({ api, act, status }: SettingsPart) {
  const [passphrase, setPassphrase] = useState('');
  const [again, setAgain] = useState('');
  const [saved, setSaved] = useState(false);
  const slots = status.vault_slots.map(slotWords);
  const hasPassphrase = status.vault_slots.includes('passphrase');
  const differ = again !== '' && again !== passphrase;
  async function save() {
    setSaved(await act(() => unwrap(api.calls.setPassphrase({ passphrase }))));
    setPassphrase('');
    setAgain('');
  }
  return (
    <>
      <Panel label="How the vault opens">
        <p>
          It is {status.vault} and opens with {slots.join(', or with ')}.
        </p>
        {!hasPassphrase && (
          <p role="note">Without a recovery passphrase your secrets are lost when the keyring of this machine is.</p>
        )}
        <Button onClick={() => void act(() => unwrap(api.calls.lock(null)))}>Lock now</Button>
      </Panel>
      <Panel label={hasPassphrase ? 'Change the passphrase' : 'Set a recovery passphrase'}>
        <Field
          secret
          label="New passphrase"
          value={passphrase}
          onChange={setPassphrase}
          hint={`At least ${shortest} characters. Nobody can recover it for you.`}
        />
        <Field
          secret
          label="Once more"
          value={again}
          onChange={setAgain}
          {...(differ ? { hint: 'The two differ.' } : {})}
        />
        <Actions>
          <Button disabled={passphrase.length < shortest || passphrase !== again} onClick={() => void save()}>
            {hasPassphrase ? 'Change the passphrase' : 'Set the passphrase'}
          </Button>
          {saved && <span role="status">It opens the vault from now on.</span>}
        </Actions>
      </Panel>
    </>
  );
}

function slotWords(slot: string): string {
  if (slot === 'passphrase') return 'your passphrase';
  return `the keyring of this machine (${slot.replace(/^keyring:/, '').replaceAll('_', ' ')})`;
}

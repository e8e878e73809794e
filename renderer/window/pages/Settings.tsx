import { useState } from 'react';
import { runtimes } from '../../../contract/runtime.ts';
import {
  defaultSettings,
  type SettingKey,
  type Settings as SettingValues,
  settingKeys,
} from '../../../contract/settings.ts';
import { unwrap } from '../../shared/api.ts';
import { Button } from '../../shared/Button.tsx';
import { Field } from '../../shared/Field.tsx';
import { useLoaded } from '../../shared/useLoaded.ts';
import type { PageProps } from '../App.tsx';
import { ConfirmButton } from '../ConfirmButton.tsx';
import { PageFrame, Panel, Table } from '../Page.tsx';
import { useAction } from '../useAction.ts';

const labels: Readonly<Record<SettingKey, string>> = {
  'limits.pending_per_agent': 'Waiting requests of one agent, at most',
  'limits.requests_per_minute': 'Requests of one agent in a minute, at most',
  'limits.concurrent_runs': 'Runs at the same time, at most',
  'approval.expires_minutes': 'Minutes until an unanswered request expires',
  'pool.size': 'Sandboxes kept ready',
  'notify.run_once': 'Run Once on notifications',
  'retention.results_days': 'Days that results are kept',
  'retention.traffic_days': 'Days that traffic rows are kept',
  'runtime.default': 'Runtime when a request names none',
  'pairing.open': 'Agents on this machine may ask to be paired',
};

const choices: Partial<Record<SettingKey, readonly string[]>> = {
  'notify.run_once': ['never', 'seen', 'always'],
  'runtime.default': runtimes,
};

export function Settings({ api, changes }: PageProps) {
  const status = useLoaded(() => unwrap(api.calls.status(null)));
  const settings = useLoaded(() => unwrap(api.calls.settings(null)));
  const { problem, act } = useAction(() => {
    settings.reload();
    status.reload();
  });
  const [passphrase, setPassphrase] = useState('');
  const [tested, setTested] = useState<string | null>(null);
  const facts = status.value;
  return (
    <PageFrame title="Settings" problem={problem ?? settings.problem ?? status.problem} key={changes}>
      {facts !== null && facts.notes.length > 0 && (
        <Panel label="What is missing">
          <ul>
            {facts.notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </Panel>
      )}
      {facts !== null && (
        <Table
          label="State"
          columns={['', '']}
          rows={[
            { key: 'url', cells: ['Agents call', <code key="url">{facts.url}</code>] },
            { key: 'vault', cells: ['Vault', `${facts.vault} (${facts.vault_slots.join(', ')})`] },
            { key: 'telegram', cells: ['Telegram', facts.telegram.replace('_', ' ')] },
            { key: 'sandbox', cells: ['Embedded sandbox', facts.sandbox.embedded] },
            { key: 'data', cells: ['Data folder', <code key="data">{facts.data_dir}</code>] },
            { key: 'version', cells: ['Version', facts.version] },
          ]}
        />
      )}
      <Panel label="Vault">
        <Field
          secret
          label="Recovery passphrase"
          value={passphrase}
          onChange={setPassphrase}
          hint="Opens the vault when the keyring of this machine is lost. At least 8 characters."
        />
        <div>
          <Button
            disabled={passphrase.length < 8}
            onClick={() =>
              void act(() => unwrap(api.calls.setPassphrase({ passphrase }))).then(() => setPassphrase(''))
            }
          >
            Set the passphrase
          </Button>{' '}
          <Button onClick={() => void act(() => unwrap(api.calls.lock(null)))}>Lock now</Button>{' '}
          {facts?.paused === true ? (
            <Button onClick={() => void act(() => unwrap(api.calls.resume(null)))}>Resume</Button>
          ) : (
            <Button onClick={() => void act(() => unwrap(api.calls.pause(null)))}>Pause all runs</Button>
          )}{' '}
          <ConfirmButton
            question="Stop everything?"
            detail="Running code is killed, all trust is revoked, every agent is paused and the vault is locked."
            action="Stop everything"
            onConfirm={() => void act(() => unwrap(api.calls.panic(null)))}
          >
            Panic
          </ConfirmButton>
        </div>
      </Panel>
      <Panel label="Waking the agent">
        <p>{tested ?? 'Sends a test message to the agent as if a request had finished.'}</p>
        <Button onClick={() => void act(async () => setTested((await unwrap(api.calls.wakeTest(null))).detail))}>
          Test the wake
        </Button>
      </Panel>
      {settings.value !== null && (
        <Table
          label="Settings"
          columns={['Setting', 'Value']}
          rows={settingKeys.map((key) => ({
            key,
            cells: [
              labels[key],
              <SettingInput
                key={key}
                setting={key}
                values={settings.value ?? defaultSettings}
                save={(value) => void act(() => unwrap(api.calls.setSetting({ key, value })))}
              />,
            ],
          }))}
        />
      )}
    </PageFrame>
  );
}

type InputProps = Readonly<{
  setting: SettingKey;
  values: SettingValues;
  save: (value: string | number | boolean) => void;
}>;

function SettingInput({ setting, values, save }: InputProps) {
  const value = values[setting];
  const label = labels[setting];
  if (typeof value === 'boolean') {
    return (
      <input type="checkbox" aria-label={label} checked={value} onChange={(event) => save(event.target.checked)} />
    );
  }
  if (typeof value === 'number') {
    return (
      <input
        type="number"
        aria-label={label}
        defaultValue={value}
        onBlur={(event) => {
          if (event.target.valueAsNumber !== value) save(event.target.valueAsNumber);
        }}
      />
    );
  }
  return (
    <select aria-label={label} value={value ?? ''} onChange={(event) => save(event.target.value)}>
      {choices[setting]?.map((choice) => (
        <option key={choice}>{choice}</option>
      ))}
    </select>
  );
}

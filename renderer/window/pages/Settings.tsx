import { useState } from 'react';
import type { StatusView } from '../../../contract/owner.ts';
import { isolationNames, isolations, runtimeNames, runtimes } from '../../../contract/runtime.ts';
import { type SettingKey, type Settings as SettingValues, settingKeys } from '../../../contract/settings.ts';
import { unwrap } from '../../shared/api.ts';
import { Button } from '../../shared/Button.tsx';
import { Field } from '../../shared/Field.tsx';
import { useLoaded } from '../../shared/useLoaded.ts';
import type { PageProps } from '../App.tsx';
import { ConfirmButton } from '../ConfirmButton.tsx';
import { Actions, FactList, PageFrame, Panel, Table } from '../Page.tsx';
import { useAction } from '../useAction.ts';
import { Sandboxes } from './Sandboxes.tsx';
import styles from './Settings.module.css';

const labels: Readonly<Record<SettingKey, string>> = {
  'limits.pending_per_agent': 'Waiting requests of one agent, at most',
  'limits.requests_per_minute': 'Requests of one agent in a minute, at most',
  'limits.concurrent_runs': 'Runs at the same time, at most',
  'limits.concurrent_runs_per_agent': 'Runs of one agent at the same time, at most',
  'approval.expires_minutes': 'Minutes until an unanswered request expires',
  'pool.size': 'Sandboxes kept ready for each runtime',
  'notify.run_once': 'Run Once on notifications',
  'retention.results_days': 'Days that results are kept',
  'retention.traffic_days': 'Days that traffic rows are kept',
  'runtime.default': 'Runtime when a request names none',
  'isolation.minimum': 'Weakest isolation that code may run in',
  'engine.allow_remote': 'The container engine may be on another machine (from the next start)',
  'pairing.open': 'Agents on this machine may ask to be paired',
  'app.start_at_login': 'OAuth3 starts when you log in',
};

/** Value and what it is called. */
const choices: Partial<Record<SettingKey, readonly (readonly [value: string, label: string])[]>> = {
  'notify.run_once': [
    ['never', 'never'],
    ['seen', 'for what you approved before'],
    ['always', 'always'],
  ],
  'runtime.default': runtimes.map((runtime) => [runtime, runtimeNames[runtime]]),
  'isolation.minimum': isolations.map((isolation) => [isolation, isolationNames[isolation]]),
};

export function Settings({ api, changes }: PageProps) {
  const status = useLoaded(() => unwrap(api.calls.status(null)), changes);
  const settings = useLoaded(() => unwrap(api.calls.settings(null)), changes);
  const { problem, act } = useAction(() => {
    settings.reload();
    status.reload();
  });
  const facts = status.value;
  const values = settings.value;
  return (
    <PageFrame title="Settings" problem={problem ?? settings.problem ?? status.problem}>
      {facts !== null && facts.notes.length > 0 && (
        <Panel label="What is missing">
          <Sentences of={facts.notes} />
        </Panel>
      )}
      {facts !== null && <State of={facts} />}
      {facts !== null && <Sandboxes api={api} act={act} of={facts.sandboxes} />}
      {facts !== null && facts.engine_notes.length > 0 && (
        <Panel label="About the container engine">
          <Sentences of={facts.engine_notes} />
        </Panel>
      )}
      <Safety api={api} paused={facts?.paused === true} act={act} />
      <Wake api={api} act={act} />
      {values !== null && (
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
                values={values}
                save={(value) => void act(() => unwrap(api.calls.setSetting({ key, value })))}
              />,
            ],
          }))}
        />
      )}
    </PageFrame>
  );
}

function Sentences({ of }: Readonly<{ of: readonly string[] }>) {
  return (
    <ul>
      {of.map((sentence) => (
        <li key={sentence}>{sentence}</li>
      ))}
    </ul>
  );
}

function State({ of }: Readonly<{ of: StatusView }>) {
  return (
    <FactList
      label="State"
      facts={[
        ['Agents call', <code key="url">{of.url}</code>],
        ['Vault', `${of.vault}, opened by ${of.vault_slots.join(' or ')}`],
        ['Telegram', of.telegram.replace('_', ' ')],
        ['Data folder', <code key="data">{of.data_dir}</code>],
        ['Version', of.version],
      ]}
    />
  );
}

type PartProps = Readonly<{ api: PageProps['api']; act: ReturnType<typeof useAction>['act'] }>;

/** What keeps the secrets safe, and what stops everything. */
function Safety({ api, act, paused }: PartProps & Readonly<{ paused: boolean }>) {
  const [passphrase, setPassphrase] = useState('');
  const save = () => act(() => unwrap(api.calls.setPassphrase({ passphrase }))).then(() => setPassphrase(''));
  return (
    <Panel label="Vault and runs">
      <Field
        secret
        label="Recovery passphrase"
        value={passphrase}
        onChange={setPassphrase}
        hint="Opens the vault when the keyring of this machine is lost. At least 8 characters."
      />
      <Actions>
        <Button disabled={passphrase.length < 8} onClick={save}>
          Set the passphrase
        </Button>
        <Button onClick={() => void act(() => unwrap(api.calls.lock(null)))}>Lock now</Button>
        {paused ? (
          <Button onClick={() => void act(() => unwrap(api.calls.resume(null)))}>Resume</Button>
        ) : (
          <Button onClick={() => void act(() => unwrap(api.calls.pause(null)))}>Pause all runs</Button>
        )}
        <ConfirmButton
          question="Stop everything?"
          detail="Running code is killed, all trust is revoked, every agent is paused and the vault is locked."
          action="Stop everything"
          onConfirm={() => void act(() => unwrap(api.calls.panic(null)))}
        >
          Panic
        </ConfirmButton>
      </Actions>
    </Panel>
  );
}

function Wake({ api, act }: PartProps) {
  const [tested, setTested] = useState<string | null>(null);
  const test = () => act(async () => setTested((await unwrap(api.calls.wakeTest(null))).detail));
  return (
    <Panel label="Waking the agent">
      <p role="status">{tested ?? 'Sends a test message to the agent as if a request had finished.'}</p>
      <Button onClick={test}>Test the wake</Button>
    </Panel>
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
        className={styles.input}
        // Another stored value is another field.
        key={value}
        defaultValue={value}
        onBlur={(event) => {
          const next = event.target.valueAsNumber;
          if (Number.isNaN(next)) event.target.value = String(value);
          else if (next !== value) save(next);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') event.currentTarget.blur();
        }}
      />
    );
  }
  return (
    <select
      className={styles.input}
      aria-label={label}
      value={value ?? ''}
      onChange={(event) => save(event.target.value)}
    >
      {choices[setting]?.map(([choice, text]) => (
        <option key={choice} value={choice}>
          {text}
        </option>
      ))}
    </select>
  );
}

import { useState } from 'react';
import type { EnvFile, EnvImported } from '../../../contract/envImport.ts';
import type { SecretView } from '../../../contract/owner.ts';
import { placeLines } from '../../../contract/secretPlaces.ts';
import { unwrap } from '../../shared/api.ts';
import { Button } from '../../shared/Button.tsx';
import { Field } from '../../shared/Field.tsx';
import { useLoaded } from '../../shared/useLoaded.ts';
import type { PageProps } from '../App.tsx';
import { ConfirmButton } from '../ConfirmButton.tsx';
import { Actions, Empty, PageFrame, Panel, Table } from '../Page.tsx';
import { since } from '../since.ts';
import { useAction } from '../useAction.ts';
import { EnvFilePanel } from './EnvFilePanel.tsx';
import { noPlacesText, PlaceFields, type PlacesText, placesOf, placesTextOf } from './SecretPlaces.tsx';
import styles from './Secrets.module.css';

const words = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== '');

/** Values go in and never come back: this page knows names and bindings only. */
export function Secrets({ api, changes }: PageProps) {
  const secrets = useLoaded(() => unwrap(api.calls.secrets(null)), changes);
  const { problem, act } = useAction(secrets.reload);
  const [editing, setEditing] = useState<SecretView | 'new' | null>(null);
  const [envFile, setEnvFile] = useState<EnvFile | null>(null);
  const close = () => setEditing(null);
  const chooseFile = () =>
    act(async () => {
      setEnvFile(await unwrap(api.calls.chooseEnvFile(null)));
      close();
    });
  async function take(names: string[]): Promise<EnvImported | null> {
    let result: EnvImported | null = null;
    await act(async () => {
      result = await unwrap(api.calls.importEnv({ names }));
    });
    return result;
  }
  function closeFile() {
    setEnvFile(null);
    void api.calls.forgetEnvFile(null);
  }
  return (
    <PageFrame
      title="Secrets"
      lead="Encrypted on this machine. Agents name them; only the gateway puts them into requests to the hosts below."
      problem={problem ?? secrets.problem}
      actions={
        <Actions>
          <Button onClick={() => void chooseFile()}>Import a .env file…</Button>
          <Button tone="primary" onClick={() => setEditing('new')}>
            Add a secret
          </Button>
        </Actions>
      }
    >
      {envFile !== null && <EnvFilePanel key={envFile.file} of={envFile} take={take} done={closeFile} />}
      {editing === 'new' && (
        <NewSecret
          save={(input) => act(() => unwrap(api.calls.addSecret(input))).then((saved) => saved && close())}
          cancel={close}
        />
      )}
      {editing !== null && editing !== 'new' && (
        <EditSecret
          key={editing.name}
          secret={editing}
          bind={(hosts, places) =>
            act(() => unwrap(api.calls.bindSecret({ name: editing.name, hosts, ...placesOf(places) }))).then(close)
          }
          rotate={(value, keepTrust) =>
            act(() => unwrap(api.calls.rotateSecret({ name: editing.name, value, keepTrust }))).then(close)
          }
          cancel={close}
        />
      )}
      {secrets.value?.length === 0 && editing === null && envFile === null && (
        <Empty>No secrets yet. Add one, import a .env file, or let a request ask for what it needs.</Empty>
      )}
      {(secrets.value?.length ?? 0) > 0 && (
        <Table
          label="Secrets"
          columns={['Name', 'Goes to', 'Used', '']}
          rows={(secrets.value ?? []).map((secret) => ({
            key: secret.name,
            cells: [
              <>
                <code>{secret.name}</code>
                {secret.delivery === 'raw' && <div className={styles.raw}>the code sees the value</div>}
              </>,
              <>
                {secret.hosts.length === 0 ? 'nowhere yet' : secret.hosts.join(', ')}
                {placeLines(secret).map((line) => (
                  <div key={line} className={styles.place}>
                    also in {line}
                  </div>
                ))}
              </>,
              <Used key="used" of={secret} />,
              <>
                <Button tone="quiet" onClick={() => setEditing(secret)}>
                  Change
                </Button>
                <ConfirmButton
                  question={`Delete ${secret.name}?`}
                  detail="The value is erased. Requests that need it have to ask for it again."
                  action="Delete"
                  onConfirm={() => void act(() => unwrap(api.calls.removeSecret({ name: secret.name })))}
                >
                  Delete
                </ConfirmButton>
              </>,
            ],
          }))}
        />
      )}
    </PageFrame>
  );
}

const namedSkills = 3;

/** When it was used last, by what, and whether it could go. */
function Used({ of }: Readonly<{ of: SecretView }>) {
  const skills = [...new Set(of.used_by.map(({ skill_id, agent }) => `${skill_id} (${agent})`))];
  const more = skills.length - namedSkills;
  return (
    <>
      {of.last_used_at === null ? 'never' : since(of.last_used_at)}
      {skills.length > 0 && (
        <div className={styles.place} title={skills.join('\n')}>
          by {skills.slice(0, namedSkills).join(', ')}
          {more > 0 && ` and ${more} more`}
        </div>
      )}
      {of.unused && <div className={styles.unused}>unused for 30 days</div>}
    </>
  );
}

type NewSecretInput = Readonly<{ name: string; value: string; hosts: string[]; raw?: boolean }> &
  ReturnType<typeof placesOf>;

function NewSecret({ save, cancel }: Readonly<{ save: (input: NewSecretInput) => void; cancel: () => void }>) {
  const [name, setName] = useState('');
  const [value, setValue] = useState('');
  const [hosts, setHosts] = useState('');
  const [places, setPlaces] = useState(noPlacesText);
  const [raw, setRaw] = useState(false);
  return (
    <Panel label="Add a secret">
      <Field label="Name" value={name} onChange={setName} placeholder="OPENAI_API_KEY" />
      <Field secret label="Value" value={value} onChange={setValue} hint="Encrypted at once; never shown again." />
      <Field
        label="Hosts it may go to"
        value={hosts}
        onChange={setHosts}
        placeholder="api.openai.com"
        hint="Separate with commas. Left empty, a well-known name gets its usual host; any other is bound on the first card."
      />
      <PlaceFields places={places} onChange={setPlaces} />
      <label>
        <input type="checkbox" checked={raw} onChange={(event) => setRaw(event.target.checked)} /> Give the code the
        real value (needed for request signing and databases; marked red on every card)
      </label>
      <div>
        <Button
          tone="primary"
          disabled={name === '' || value === ''}
          onClick={() => {
            save({
              name,
              value,
              hosts: words(hosts),
              ...placesOf(places),
              ...(raw ? { raw } : {}),
            });
            setValue('');
          }}
        >
          Save
        </Button>{' '}
        <Button tone="quiet" onClick={cancel}>
          Cancel
        </Button>
      </div>
    </Panel>
  );
}

type EditSecretProps = Readonly<{
  secret: SecretView;
  bind: (hosts: string[], places: PlacesText) => void;
  rotate: (value: string, keepTrust: boolean) => void;
  cancel: () => void;
}>;

function EditSecret({ secret, bind, rotate, cancel }: EditSecretProps) {
  const [hosts, setHosts] = useState(secret.hosts.join(', '));
  const [places, setPlaces] = useState(placesTextOf(secret));
  const [value, setValue] = useState('');
  const [keepTrust, setKeepTrust] = useState(true);
  return (
    <Panel label={`Change ${secret.name}`}>
      <Field
        label="Hosts it may go to"
        value={hosts}
        onChange={setHosts}
        hint="Changing hosts or places makes trusted code ask again."
      />
      <PlaceFields places={places} onChange={setPlaces} />
      <Button onClick={() => bind(words(hosts), places)}>Save where it may go</Button>
      <Field secret label="New value" value={value} onChange={setValue} />
      <label>
        <input type="checkbox" checked={keepTrust} onChange={(event) => setKeepTrust(event.target.checked)} /> Keep
        trust: code that is trusted with the old value goes on with the new one
      </label>
      <div>
        <Button disabled={value === ''} onClick={() => rotate(value, keepTrust)}>
          Replace value
        </Button>{' '}
        <Button tone="quiet" onClick={cancel}>
          Close
        </Button>
      </div>
    </Panel>
  );
}

import { useState } from 'react';
import type { WindowContract } from '../../contract/ipc.ts';
import type { StatusView } from '../../contract/owner.ts';
import { type Api, messageOf, unwrap } from '../shared/api.ts';
import { Button } from '../shared/Button.tsx';
import { Field } from '../shared/Field.tsx';
import { useLoaded } from '../shared/useLoaded.ts';
import { PageFrame, Panel } from './Page.tsx';

type GateProps = Readonly<{ api: Api<WindowContract>; changes: number }>;

/** How the vault opens: a new one gets its passphrase, one with a passphrase asks for it, any other has its keyring. */
type Way = 'new' | 'passphrase' | 'keyring';

const texts = {
  new: {
    title: 'Choose a passphrase',
    lead: 'No trustworthy keyring was found on this machine, so a passphrase protects your secrets. It cannot be recovered.',
    panel: 'New vault',
    action: 'Create the vault',
    atLeast: 8,
  },
  passphrase: {
    title: 'The vault is locked',
    lead: 'Nothing runs until you unlock it.',
    panel: 'Unlock',
    action: 'Unlock',
    atLeast: 1,
  },
  keyring: {
    title: 'The vault is locked',
    lead: 'Nothing runs until you unlock it. It opens with the keyring of this machine.',
    panel: 'Unlock',
    action: 'Unlock with the keyring',
    atLeast: 0,
  },
} as const;

function wayOf({ vault, vault_slots: slots }: StatusView): Way {
  if (slots.includes('passphrase')) return 'passphrase';
  return slots.length === 0 && vault !== 'locked' ? 'new' : 'keyring';
}

/** Stands before every page until the vault is open. */
export function VaultGate({ api, changes }: GateProps) {
  const { value, problem } = useLoaded(() => unwrap(api.calls.status(null)), changes);
  if (value !== null) return <Gate api={api} way={wayOf(value)} />;
  return problem === null ? null : <PageFrame title="The vault is locked" problem={problem} />;
}

function Gate({ api, way }: Readonly<{ api: Api<WindowContract>; way: Way }>) {
  const [passphrase, setPassphrase] = useState('');
  const [again, setAgain] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  async function unlock() {
    if (way === 'new' && passphrase !== again) {
      setProblem('The two passphrases differ.');
      return;
    }
    setBusy(true);
    try {
      await unwrap(api.calls.unlock({ passphrase }));
    } catch (error) {
      setProblem(messageOf(error));
    } finally {
      setPassphrase('');
      setAgain('');
      setBusy(false);
    }
  }

  const text = texts[way];
  const ready = !busy && passphrase.length >= text.atLeast;
  const onEnter = () => {
    if (ready) void unlock();
  };
  return (
    <PageFrame title={text.title} lead={text.lead} problem={problem}>
      <Panel label={text.panel}>
        {way !== 'keyring' && (
          <Field
            secret
            label="Passphrase"
            value={passphrase}
            onChange={setPassphrase}
            onEnter={onEnter}
            {...(way === 'new' ? { hint: `At least ${text.atLeast} characters.` } : {})}
          />
        )}
        {way === 'new' && <Field secret label="Once more" value={again} onChange={setAgain} onEnter={onEnter} />}
        <Button tone="primary" disabled={!ready} onClick={unlock}>
          {busy ? 'One moment…' : text.action}
        </Button>
      </Panel>
    </PageFrame>
  );
}

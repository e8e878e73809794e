import { useState } from 'react';
import type { WindowContract } from '../../contract/ipc.ts';
import { type Api, messageOf, unwrap } from '../shared/api.ts';
import { Button } from '../shared/Button.tsx';
import { Field } from '../shared/Field.tsx';
import { PageFrame, Panel } from './Page.tsx';

type GateProps = Readonly<{
  api: Api<WindowContract>;
  /** There is no vault yet. */
  fresh: boolean;
  done: () => void;
}>;

const texts = {
  fresh: {
    title: 'Choose a passphrase',
    lead: 'No trustworthy keyring was found on this machine, so a passphrase protects your secrets. It cannot be recovered.',
    action: 'Create the vault',
  },
  locked: { title: 'The vault is locked', lead: 'Nothing runs until you unlock it.', action: 'Unlock' },
} as const;

/** Stands before every page until the vault is open. */
export function VaultGate({ api, fresh, done }: GateProps) {
  const [passphrase, setPassphrase] = useState('');
  const [again, setAgain] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  async function unlock() {
    if (fresh && passphrase !== again) {
      setProblem('The two passphrases differ.');
      return;
    }
    setBusy(true);
    try {
      await unwrap(api.calls.unlock({ passphrase }));
      done();
    } catch (error) {
      setProblem(messageOf(error));
    } finally {
      setPassphrase('');
      setAgain('');
      setBusy(false);
    }
  }

  const text = fresh ? texts.fresh : texts.locked;
  const ready = !busy && passphrase.length >= (fresh ? 8 : 1);
  const onEnter = () => {
    if (ready) void unlock();
  };
  return (
    <PageFrame title={text.title} lead={text.lead} problem={problem}>
      <Panel label={fresh ? 'New vault' : 'Unlock'}>
        <Field
          secret
          label="Passphrase"
          value={passphrase}
          onChange={setPassphrase}
          onEnter={onEnter}
          {...(fresh ? { hint: 'At least 8 characters.' } : {})}
        />
        {fresh && <Field secret label="Once more" value={again} onChange={setAgain} onEnter={onEnter} />}
        <Button tone="primary" disabled={!ready} onClick={unlock}>
          {busy ? 'One moment…' : text.action}
        </Button>
      </Panel>
    </PageFrame>
  );
}

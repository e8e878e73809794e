import { useState } from 'react';
import type { DecisionContract } from '../../contract/ipc.ts';
import { type Api, messageOf, unwrap } from '../shared/api.ts';
import { Button } from '../shared/Button.tsx';
import { Field } from '../shared/Field.tsx';
import { HostChoices } from './HostChoices.tsx';
import styles from './Step.module.css';

type Props = Readonly<{ api: Api<DecisionContract>; name: string; hosts: readonly string[] }>;

/**
 * Adds a secret that the request names and the vault does not have, and binds it to hosts of the request when the owner
 * chooses some. The value goes to main and never comes back.
 */
export function MissingSecret({ api, name, hosts }: Props) {
  const [value, setValue] = useState('');
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [problem, setProblem] = useState<string | null>(null);

  async function add() {
    try {
      await unwrap(api.calls.addSecret({ name, value, hosts: [...chosen] }));
    } catch (error) {
      setProblem(messageOf(error));
    } finally {
      setValue('');
    }
  }

  return (
    <section className={styles.step} data-step data-weight="warn" aria-label={`Add ${name}`}>
      <h2>
        The vault has no <code>{name}</code>
      </h2>
      <Field
        secret
        label={`Value of ${name}`}
        value={value}
        onChange={setValue}
        hint="It is encrypted at once and never shown again. The agent does not get it."
      />
      {hosts.length > 0 && (
        <HostChoices
          label="It may be put into requests to (a well-known key needs no choice)"
          hosts={hosts}
          chosen={chosen}
          onChange={setChosen}
        />
      )}
      {problem !== null && <p role="alert">{problem}</p>}
      <Button tone="primary" disabled={value === ''} onClick={add}>
        Add {name}
      </Button>
    </section>
  );
}

import { useState } from 'react';
import type { DecisionContract } from '../../contract/ipc.ts';
import { type Api, messageOf, unwrap } from '../shared/api.ts';
import { Button } from '../shared/Button.tsx';
import { Field } from '../shared/Field.tsx';
import styles from './Step.module.css';

/** Adds a secret that the request names and the vault does not have. The value goes to main and never comes back. */
export function MissingSecret({ api, name }: Readonly<{ api: Api<DecisionContract>; name: string }>) {
  const [value, setValue] = useState('');
  const [problem, setProblem] = useState<string | null>(null);

  async function add() {
    try {
      await unwrap(api.calls.addSecret({ name, value, hosts: [] }));
    } catch (error) {
      setProblem(messageOf(error));
    } finally {
      setValue('');
    }
  }

  return (
    <section className={styles.step} data-step aria-label={`Add ${name}`}>
      <h2>
        The vault has no <code>{name}</code>
      </h2>
      <Field
        secret
        label={`Value of ${name}`}
        value={value}
        onChange={setValue}
        hint="It is encrypted at once and never shown again."
      />
      {problem !== null && <p role="alert">{problem}</p>}
      <Button tone="primary" disabled={value === ''} onClick={add}>
        Add {name}
      </Button>
    </section>
  );
}

import { useState } from 'react';
import type { Card } from '../../contract/card.ts';
import type { DecisionContract } from '../../contract/ipc.ts';
import { type Api, messageOf, unwrap } from '../shared/api.ts';
import { Button } from '../shared/Button.tsx';
import { HostChoices } from './HostChoices.tsx';
import styles from './Step.module.css';

type Props = Readonly<{ api: Api<DecisionContract>; card: Card; secret: Card['unboundSecrets'][number] }>;

/** The explicit step for a secret that is bound to no host of this request. Run Once does not keep the answer. */
export function UnboundSecret({ api, card, secret }: Props) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [problem, setProblem] = useState<string | null>(null);

  async function confirm() {
    try {
      const { id: requestId, revision } = card;
      await unwrap(api.calls.confirmBinding({ requestId, name: secret.name, hosts: [...chosen], revision }));
    } catch (error) {
      setProblem(messageOf(error));
    }
  }

  return (
    <section className={styles.step} data-step data-weight="warn" aria-label={`Bind ${secret.name}`}>
      <h2>
        Put <code>{secret.name}</code> into requests to which host?
      </h2>
      {secret.hosts.length === 0 ? (
        <p>This request declares no host, so the secret cannot go anywhere.</p>
      ) : (
        <HostChoices
          label="Hosts that this request names. Run Once keeps the answer for this run only."
          hosts={secret.hosts}
          chosen={chosen}
          onChange={setChosen}
        />
      )}
      {problem !== null && <p role="alert">{problem}</p>}
      <Button tone="primary" disabled={chosen.size === 0} onClick={confirm}>
        Allow {secret.name} there
      </Button>
    </section>
  );
}

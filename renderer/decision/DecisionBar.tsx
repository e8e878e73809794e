import { useState } from 'react';
import type { Card } from '../../contract/card.ts';
import type { DecisionContract } from '../../contract/ipc.ts';
import type { Verdict } from '../../contract/states.ts';
import { type Api, messageOf, unwrap } from '../shared/api.ts';
import { Button } from '../shared/Button.tsx';
import { Field } from '../shared/Field.tsx';
import styles from './DecisionBar.module.css';

type Step = 'choose' | 'forever' | 'deny';
type BarProps = Readonly<{ api: Api<DecisionContract>; card: Card; armsInMs: number | null }>;

/** Wide-reaching answers need a second step; main refuses whatever comes before the card was visible for a second. */
export function DecisionBar({ api, card, armsInMs }: BarProps) {
  const [step, setStep] = useState<Step>('choose');
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [notice, setNotice] = useState<string | null>(null);
  const armed = armsInMs === 0 && !busy;

  async function decide(verdict: Verdict, extra: Readonly<{ argsPolicy?: 'exact' | 'any'; reason?: string }> = {}) {
    setBusy(true);
    const { subject, id, revision } = card;
    try {
      const result = await unwrap(api.calls.decide({ subject, id, revision, verdict, ...extra }));
      if (!result.ok) setNotice(result.text);
    } catch (error) {
      setNotice(messageOf(error));
    } finally {
      setBusy(false);
    }
  }
  const can = (verdict: Verdict) => card.verdicts.includes(verdict);

  return (
    <footer className={styles.bar} data-armed={armed}>
      <p className={styles.notice} role="status">
        {notice ?? blockedText(card)}
        {notice === null && isBlocked(card) && (
          <Button tone="quiet" onClick={showStep}>
            Show me
          </Button>
        )}
      </p>
      {armsInMs === null && <p className={styles.behind}>The buttons work once this window is in front.</p>}
      {step === 'choose' && (
        <div className={styles.buttons}>
          {can('approve') && (
            <Button tone="primary" disabled={!armed} onClick={() => decide('approve')}>
              Approve
            </Button>
          )}
          {can('once') && (
            <Button tone="primary" disabled={!armed} onClick={() => decide('once')}>
              Run Once
            </Button>
          )}
          {can('24h') && (
            <Button
              disabled={!armed}
              onClick={() => decide('24h')}
              hint="The same again runs without asking for 24 hours"
            >
              Trust 24h
            </Button>
          )}
          {can('forever') && (
            <Button disabled={!armed} onClick={() => setStep('forever')} hint="Asks once more">
              Always Trust…
            </Button>
          )}
          <span className={styles.gap} />
          <Button tone="danger" disabled={!armed} onClick={() => setStep('deny')}>
            Deny…
          </Button>
        </div>
      )}
      {step === 'forever' && (
        <div className={styles.buttons}>
          <p>From now on exactly this code runs for this agent without asking, until you revoke it.</p>
          <Button tone="primary" disabled={!armed} onClick={() => decide('forever', { argsPolicy: 'exact' })}>
            {card.hasArgs ? 'Always, with these arguments' : 'Confirm Always'}
          </Button>
          {card.anyArgs && (
            <Button disabled={!armed} onClick={() => decide('forever', { argsPolicy: 'any' })}>
              Always, with any arguments
            </Button>
          )}
          <Button tone="quiet" onClick={() => setStep('choose')}>
            Back
          </Button>
        </div>
      )}
      {step === 'deny' && (
        <div className={styles.buttons}>
          <div className={styles.reason}>
            <Field label="Reason for the agent (optional)" value={reason} onChange={setReason} />
          </div>
          <Button tone="danger" disabled={!armed} onClick={() => decide('deny', reason === '' ? {} : { reason })}>
            Deny
          </Button>
          <Button tone="quiet" onClick={() => setStep('choose')}>
            Back
          </Button>
        </div>
      )}
    </footer>
  );
}

const isBlocked = (card: Card): boolean => card.missingSecrets.length > 0 || card.unboundSecrets.length > 0;

/** The first step that blocks the card comes into sight. */
function showStep(): void {
  document.querySelector('[data-step]')?.scrollIntoView({ block: 'center' });
}

function blockedText(card: Card): string {
  if (card.missingSecrets.length > 0) return 'Add the missing secret above before this can be approved.';
  if (card.unboundSecrets.length > 0) return 'Say above where the secret may go before this can be approved.';
  return '';
}

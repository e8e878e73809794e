import { useEffect, useRef, useState } from 'react';
import type { Card } from '../../contract/card.ts';
import type { DecisionContract, DecisionState } from '../../contract/ipc.ts';
import type { Verdict } from '../../contract/states.ts';
import { type Api, messageOf, unwrap } from '../shared/api.ts';
import { Button } from '../shared/Button.tsx';
import { Field } from '../shared/Field.tsx';
import styles from './DecisionBar.module.css';
import type { Below } from './useBelow.ts';

type Step = 'choose' | 'forever' | 'deny';
type BarProps = Readonly<{
  api: Api<DecisionContract>;
  state: Extract<DecisionState, { kind: 'card' }>;
  below: Below;
}>;

/** Wide-reaching answers need a second step; main refuses whatever comes before the card was visible for a second. */
export function DecisionBar({ api, state, below }: BarProps) {
  const { card, armsInMs, locked } = state;
  const [step, setStep] = useState<Step>('choose');
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const armed = armsInMs === 0 && !busy;
  const approves = armed && !locked;
  const buttons = useFocusOfStep(step);

  async function decide(verdict: Verdict, extra: Readonly<{ argsPolicy?: 'exact' | 'any'; reason?: string }> = {}) {
    setBusy(true);
    const { subject, id, revision } = card;
    try {
      const result = await unwrap(api.calls.decide({ subject, id, revision, verdict, ...extra }));
      if (!result.ok) setProblem(result.text);
    } catch (error) {
      setProblem(messageOf(error));
    } finally {
      setBusy(false);
    }
  }
  const can = (verdict: Verdict) => card.verdicts.includes(verdict);

  return (
    <section className={styles.bar} data-armed={armed} aria-label="Your decision" ref={buttons}>
      <Notices problem={problem} state={state} below={below} />
      {step === 'choose' && (
        <div className={styles.buttons}>
          {can('approve') && (
            <Button tone="primary" disabled={!approves} onClick={() => decide('approve')}>
              Approve
            </Button>
          )}
          {can('once') && (
            <Button tone="primary" disabled={!approves} onClick={() => decide('once')}>
              Run Once
            </Button>
          )}
          {can('24h') && (
            <Button
              disabled={!approves}
              onClick={() => decide('24h')}
              hint="The same again runs without asking for 24 hours"
            >
              Trust 24h
            </Button>
          )}
          {can('forever') && (
            <Button disabled={!approves} onClick={() => setStep('forever')} hint="Asks once more">
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
          <Button tone="primary" disabled={!approves} onClick={() => decide('forever', { argsPolicy: 'exact' })}>
            {card.hasArgs ? 'Always, with these arguments' : 'Confirm Always'}
          </Button>
          {card.anyArgs && (
            <Button disabled={!approves} onClick={() => decide('forever', { argsPolicy: 'any' })}>
              Always, with any arguments
            </Button>
          )}
          <span data-first>
            <Button tone="quiet" onClick={() => setStep('choose')}>
              Back
            </Button>
          </span>
        </div>
      )}
      {step === 'deny' && (
        <div className={styles.buttons}>
          <div className={styles.reason} data-first>
            <Field label="Reason for the agent (optional)" value={reason} onChange={setReason} maxLength={500} />
          </div>
          <Button tone="danger" disabled={!armed} onClick={() => decide('deny', reason === '' ? {} : { reason })}>
            Deny
          </Button>
          <Button tone="quiet" onClick={() => setStep('choose')}>
            Back
          </Button>
        </div>
      )}
    </section>
  );
}

/**
 * A second step begins where nothing is decided: at the reason, or at the way back. After it the focus is at the first
 * button again. A card that opens focuses nothing: what is typed elsewhere at that moment must not decide.
 */
function useFocusOfStep(step: Step) {
  const bar = useRef<HTMLElement>(null);
  const last = useRef(step);
  useEffect(() => {
    if (last.current === step) return;
    last.current = step;
    const place = bar.current?.querySelector<HTMLElement>('[data-first] input, [data-first] button');
    (place ?? bar.current?.querySelector<HTMLElement>('button:enabled'))?.focus();
  }, [step]);
  return bar;
}

type NoticesProps = Readonly<{ problem: string | null; state: BarProps['state']; below: Below }>;

/** Why it does not go on, and what has to be scrolled to first. */
function Notices({ problem, state, below }: NoticesProps) {
  const { card, armsInMs, locked } = state;
  const blocked = locked
    ? 'The vault is locked: nothing can be approved until you unlock it in the window. You can still deny.'
    : blockedText(card);
  return (
    <>
      <div className={styles.notice} role="status">
        {problem ?? blocked}
        {problem === null && !locked && isBlocked(card) && (
          <Button tone="quiet" onClick={showStep}>
            Show me
          </Button>
        )}
      </div>
      {below.count > 0 && (
        <button type="button" className={styles.below} data-danger={below.danger} onClick={below.show}>
          ▲ {below.count} {below.count === 1 ? 'warning' : 'warnings'} below <span>Show</span>
        </button>
      )}
      {armsInMs === null && <p className={styles.behind}>The buttons work once this window is in front.</p>}
    </>
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

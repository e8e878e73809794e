import type { ReactNode } from 'react';
import type { AgentView, RequestRow, StatusView } from '../../../contract/owner.ts';
import { unwrap } from '../../shared/api.ts';
import { Button } from '../../shared/Button.tsx';
import type { PageProps } from '../App.tsx';
import type { useAction } from '../useAction.ts';
import styles from './FirstSteps.module.css';

const sampleSkill = 'hello-from-your-sandbox';

type FirstStepsProps = Readonly<{
  api: PageProps['api'];
  go: PageProps['go'];
  act: ReturnType<typeof useAction>['act'];
  status: StatusView;
  agents: readonly AgentView[];
  requests: readonly RequestRow[];
}>;

/** Nothing more to learn here: an agent of the owner's own has asked for something. */
export const isSettledIn = (requests: readonly RequestRow[]): boolean =>
  requests.some(({ skill_id }) => skill_id !== sampleSkill);

/** A short way through the app for an owner who has just installed it; each step says when it is done. */
export function FirstSteps({ api, go, act, status, agents, requests }: FirstStepsProps) {
  const sample = requests.find(({ skill_id }) => skill_id === sampleSkill);
  const agent = agents.find(({ name, status: state }) => name !== 'sample' && state !== 'revoked');
  const openSample = () =>
    act(async () => {
      const { request_id: id } = await unwrap(api.calls.sampleRequest(null));
      await unwrap(api.calls.showCard({ subject: 'run', id }));
    });
  return (
    <section className={styles.steps} aria-labelledby="first-steps">
      <h2 id="first-steps">First steps</h2>
      <p>An agent asks, you see exactly what would run, you decide. Your keys stay here.</p>
      <ol>
        <Step done title="Your vault is ready" text={vaultText(status)}>
          {!status.vault_slots.includes('passphrase') && (
            <Button onClick={() => go('Settings', 'Vault')}>Add a recovery passphrase</Button>
          )}
        </Step>
        <Step done={sample?.status === 'success'} title="Decide once, to see how it feels" text={sampleText(sample)}>
          <Button tone={sample?.status === 'success' ? 'plain' : 'primary'} onClick={() => void openSample()}>
            {sample === undefined ? 'Show me a request' : 'Show me another'}
          </Button>
        </Step>
        <Step
          done={agent !== undefined}
          title="Give your agent a token"
          text={
            agent === undefined
              ? 'With it an agent may ask. It can never decide, and never sees a key.'
              : `${agent.name} may ask. What it wants to run shows up here.`
          }
        >
          <Button
            tone={sample?.status === 'success' && agent === undefined ? 'primary' : 'plain'}
            onClick={() => go('Agents')}
          >
            {agent === undefined ? 'Add an agent' : 'Agents'}
          </Button>
        </Step>
        <Step
          done={status.telegram !== 'not_configured'}
          title="Decide from your phone, if you like"
          text={
            status.telegram === 'not_configured'
              ? 'A Telegram bot of your own can show you the same cards.'
              : 'Cards come to Telegram as well.'
          }
        >
          <Button onClick={() => go('Settings', 'Telegram')}>
            {status.telegram === 'not_configured' ? 'Set up Telegram' : 'Telegram'}
          </Button>
        </Step>
      </ol>
    </section>
  );
}

function vaultText({ vault_slots: slots }: StatusView): string {
  return slots.includes('passphrase')
    ? 'It opens with your passphrase.'
    : 'It opens with the keyring of this machine. A passphrase gets you in when that is lost.';
}

function sampleText(sample: RequestRow | undefined): string {
  switch (sample?.status) {
    case undefined:
      return 'A sample agent asks to run two lines that need no key. Choose Run Once on its card.';
    case 'success':
      return 'You approved it, it ran in a sandbox, and the result went back.';
    case 'pending':
      return 'Its card waits for you above.';
    default:
      return `It is ${sample?.status}. You can try as often as you like.`;
  }
}

type StepProps = Readonly<{ done: boolean; title: string; text: string; children?: ReactNode }>;

function Step({ done, title, text, children }: StepProps) {
  return (
    <li data-done={done}>
      <span className={styles.mark} aria-hidden="true">
        {done ? '✓' : ''}
      </span>
      <div>
        <h3>
          {title}
          {done && <span className={styles.unseen}>, done</span>}
        </h3>
        <p>{text}</p>
      </div>
      {children}
    </li>
  );
}

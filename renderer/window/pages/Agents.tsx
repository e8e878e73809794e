import { useEffect, useState } from 'react';
import type { AgentCreated } from '../../../contract/owner.ts';
import type { Settings } from '../../../contract/settings.ts';
import { unwrap } from '../../shared/api.ts';
import { Button } from '../../shared/Button.tsx';
import { counted } from '../../shared/counted.ts';
import { Field } from '../../shared/Field.tsx';
import { useLoaded } from '../../shared/useLoaded.ts';
import type { PageProps } from '../App.tsx';
import { ConfirmButton } from '../ConfirmButton.tsx';
import { Actions, Empty, PageFrame, Panel, Table } from '../Page.tsx';
import { since } from '../since.ts';
import { useAction } from '../useAction.ts';
import styles from './Agents.module.css';

/** Callers of the bridge. A token is shown once, at the moment it is made. */
export function Agents({ api, changes, go }: PageProps) {
  const agents = useLoaded(() => unwrap(api.calls.agents(null)), changes);
  const status = useLoaded(() => unwrap(api.calls.status(null)));
  const settings = useLoaded(() => unwrap(api.calls.settings(null)), changes);
  const { problem, act } = useAction(agents.reload);
  const [name, setName] = useState('');
  const [created, setCreated] = useState<AgentCreated | null>(null);
  const live = (agents.value ?? []).filter((agent) => agent.status !== 'revoked');
  const create = () =>
    name !== '' &&
    act(async () => setCreated(await unwrap(api.calls.addAgent({ name })))).then((done) => done && setName(''));
  return (
    <PageFrame
      title="Agents"
      lead="Each agent has a token of its own. It can ask, never decide."
      problem={problem ?? agents.problem}
    >
      {created !== null && (
        <Panel label={`Token of ${created.name}`}>
          <p>Copy it now: it is not shown again.</p>
          <code data-testid="token" className={styles.token}>
            {created.token}
          </code>
          <p>
            The agent sends it with each request to <code>{status.value?.url}</code>, as{' '}
            <code>Authorization: Bearer TOKEN</code>.
          </p>
          <div className={styles.taken}>
            <CopyToken
              key={created.token}
              copy={() => act(() => unwrap(api.calls.copyToken({ token: created.token })))}
            />
            <Button onClick={() => setCreated(null)}>I have it</Button>
          </div>
        </Panel>
      )}
      <Panel label="Add an agent">
        <div className={styles.add}>
          <Field
            label="Name of a new agent"
            value={name}
            onChange={setName}
            placeholder="home-agent"
            onEnter={create}
          />
          <Button tone="primary" disabled={name === ''} onClick={create}>
            Create a token
          </Button>
        </div>
      </Panel>
      {live.length === 0 ? (
        <Empty>No agents yet.</Empty>
      ) : (
        <Table
          label="Agents"
          columns={['Name', 'State', 'Last seen', '']}
          rows={live.map((agent) => ({
            key: agent.agent_id,
            cells: [
              <span key="name" title={agent.agent_id}>
                {agent.name}
              </span>,
              agent.status,
              agent.last_seen_at === null ? 'never' : since(agent.last_seen_at),
              <>
                <Button
                  tone="quiet"
                  onClick={() =>
                    void act(() =>
                      unwrap(api.calls.pauseAgent({ name: agent.name, paused: agent.status === 'active' })),
                    )
                  }
                >
                  {agent.status === 'active' ? 'Pause' : 'Resume'}
                </Button>
                <ConfirmButton
                  question={`Give ${agent.name} a new token?`}
                  detail="The token that it has now stops working at once. Its trust and its waiting requests stay."
                  action="New token"
                  onConfirm={() =>
                    void act(async () => setCreated(await unwrap(api.calls.rotateAgent({ name: agent.name }))))
                  }
                >
                  New token
                </ConfirmButton>
                <ConfirmButton
                  question={`Revoke ${agent.name}?`}
                  detail="Its token, its trust and its waiting requests end now."
                  action="Revoke"
                  onConfirm={() => void act(() => unwrap(api.calls.revokeAgent({ name: agent.name })))}
                >
                  Revoke
                </ConfirmButton>
              </>,
            ],
          }))}
        />
      )}
      {settings.value !== null && (
        <Panel label="What each of them may do">
          <p>{limitsText(settings.value)}</p>
          <p>{pairingText(settings.value)}</p>
          <Actions>
            <Button onClick={() => go('Settings', 'Limits')}>Limits</Button>
            <Button onClick={() => go('Settings', 'General')}>Pairing</Button>
          </Actions>
        </Panel>
      )}
    </PageFrame>
  );
}

function limitsText(settings: Settings): string {
  const perMinute = settings['limits.requests_per_minute'];
  const waiting = settings['limits.pending_per_agent'];
  const runs = settings['limits.concurrent_runs_per_agent'];
  return `Send ${counted(perMinute, 'request')} in a minute, have ${waiting} waiting for you, and ${runs} running at the same time.`;
}

function pairingText(settings: Settings): string {
  return settings['pairing.open']
    ? 'A program on this machine may ask to become an agent: a card shows a code for you to compare.'
    : 'Programs on this machine cannot ask to become agents.';
}

/** `copy` resolves with false when it did not work, which the page says. */
function CopyToken({ copy }: Readonly<{ copy: () => Promise<boolean> }>) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), 60_000);
    return () => clearTimeout(timer);
  }, [isCopied]);
  return (
    <>
      <Button tone="primary" onClick={async () => setCopied(await copy())}>
        Copy
      </Button>
      <span role="status">{isCopied && 'Copied. The clipboard is cleared in a minute.'}</span>
    </>
  );
}

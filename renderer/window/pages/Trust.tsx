import { unwrap } from '../../shared/api.ts';
import { Button } from '../../shared/Button.tsx';
import { counted } from '../../shared/counted.ts';
import { useLoaded } from '../../shared/useLoaded.ts';
import type { PageProps } from '../App.tsx';
import { ConfirmButton } from '../ConfirmButton.tsx';
import { Empty, PageFrame, Table } from '../Page.tsx';
import { since } from '../since.ts';
import { useAction } from '../useAction.ts';
import styles from './Trust.module.css';

/** What runs without asking, and until when. */
export function Trust({ api, changes }: PageProps) {
  const trust = useLoaded(() => unwrap(api.calls.trust(null)), changes);
  const { problem, act } = useAction(trust.reload);
  const live = (trust.value ?? []).filter((entry) => entry.status === 'live' || entry.status === 'suspended');
  return (
    <PageFrame
      title="Trust"
      lead="Exactly this code, for this agent, with these secrets and hosts, runs without asking. Anything else asks again."
      problem={problem ?? trust.problem}
      actions={
        <ConfirmButton
          question="Revoke all trust?"
          detail="Every request asks again."
          action="Revoke all"
          disabled={live.length === 0}
          onConfirm={() => void act(() => unwrap(api.calls.revokeAllTrust(null)))}
        >
          Revoke all
        </ConfirmButton>
      }
    >
      {live.length === 0 ? (
        <Empty>Nothing is trusted. Choose Trust 24h or Always Trust on a card to get here.</Empty>
      ) : (
        <Table
          label="Trust"
          columns={['Skill', 'Agent', 'Granted', 'Until', 'Used', '']}
          rows={live.map((entry) => ({
            key: entry.id,
            cells: [
              <>
                {entry.skill_id}
                <small className={styles.keys}>
                  <span title={`sha256 of the code: ${entry.code_hash}`}>code {entry.code_hash.slice(0, 12)}…</span>{' '}
                  <span title={`Trust key: ${entry.trust_key}`}>key {entry.trust_key.slice(0, 12)}…</span>
                </small>
                {entry.reason !== null && <div role="note">{entry.reason}</div>}
              </>,
              entry.agent,
              <>
                {since(entry.granted_at)} {principalWords(entry.granted_by)}
                <small className={styles.keys}>
                  {entry.args_policy === 'any' ? 'with any arguments' : 'with these arguments'}
                </small>
              </>,
              entry.expires_at === null ? 'you revoke it' : since(entry.expires_at),
              entry.last_used_at === null
                ? 'never'
                : `${counted(entry.use_count, 'time')}, ${since(entry.last_used_at)}`,
              <Button key="revoke" onClick={() => void act(() => unwrap(api.calls.revokeTrust({ id: entry.id })))}>
                Revoke
              </Button>,
            ],
          }))}
        />
      )}
    </PageFrame>
  );
}

/** Who decided, as a person says it. */
function principalWords(principal: string): string {
  const user = /^telegram:(.+)$/.exec(principal)?.[1];
  return user === undefined ? 'in the app' : `by Telegram user ${user}`;
}

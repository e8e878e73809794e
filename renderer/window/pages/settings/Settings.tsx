import { Tabs } from '@base-ui/react/tabs';
import type { ComponentType } from 'react';
import type { StatusView } from '../../../../contract/owner.ts';
import type { SettingKey, Settings as SettingValues } from '../../../../contract/settings.ts';
import { unwrap } from '../../../shared/api.ts';
import { useLoaded } from '../../../shared/useLoaded.ts';
import type { PageProps } from '../../App.tsx';
import { PageFrame, Panel } from '../../Page.tsx';
import { useAction } from '../../useAction.ts';
import { About, Sentences } from './About.tsx';
import { Sandboxes } from './Sandboxes.tsx';
import { SettingRows } from './SettingRows.tsx';
import styles from './Settings.module.css';
import { Telegram } from './Telegram.tsx';
import { Vault } from './Vault.tsx';

export type SettingsPart = Readonly<{
  api: PageProps['api'];
  act: ReturnType<typeof useAction>['act'];
  status: StatusView;
  values: SettingValues;
  /** Set by the environment, which wins over what is stored. */
  fixed: ReadonlySet<SettingKey>;
  /** Another number whenever something changed. */
  changes: number;
}>;

const parts: Readonly<Record<string, ComponentType<SettingsPart>>> = {
  General: (part) => <SettingRows {...part} keys={['app.start_at_login', ...approvalKeys]} />,
  Telegram,
  Runtimes: (part) => (
    <>
      <SettingRows {...part} keys={['runtime.default', 'isolation.minimum', 'pool.size', 'engine.allow_remote']} />
      <Sandboxes api={part.api} act={part.act} of={part.status.sandboxes} />
      {part.status.engine_notes.length > 0 && (
        <Panel label="About the container engine">
          <Sentences of={part.status.engine_notes} />
        </Panel>
      )}
    </>
  ),
  Limits: (part) => <SettingRows {...part} keys={limitKeys} />,
  Vault,
  About,
};

const approvalKeys = ['approval.expires_minutes', 'notify.cards', 'notify.run_once', 'pairing.open'] as const;
const limitKeys = [
  'limits.pending_per_agent',
  'limits.requests_per_minute',
  'limits.concurrent_runs',
  'limits.concurrent_runs_per_agent',
  'retention.results_days',
  'retention.traffic_days',
] as const;

/** Everything that the owner can set, a part at a time. */
export function Settings({ api, changes, part }: PageProps) {
  const status = useLoaded(() => unwrap(api.calls.status(null)), changes);
  const settings = useLoaded(() => unwrap(api.calls.settings(null)), changes);
  const fixed = useLoaded(() => unwrap(api.calls.environmentSettings(null)));
  const { problem, act } = useAction(() => {
    settings.reload();
    status.reload();
  });
  const [facts, values, set] = [status.value, settings.value, fixed.value];
  return (
    <PageFrame title="Settings" problem={problem ?? settings.problem ?? status.problem}>
      {facts !== null && values !== null && set !== null && (
        <Tabs.Root className={styles.tabs} orientation="vertical" defaultValue={part ?? 'General'}>
          <Tabs.List className={styles.list} aria-label="Parts of the settings">
            {Object.keys(parts).map((name) => (
              <Tabs.Tab key={name} value={name} className={styles.tab}>
                {name}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          {Object.entries(parts).map(([name, Part]) => (
            <Tabs.Panel key={name} value={name} className={styles.panel}>
              <Part api={api} act={act} status={facts} values={values} fixed={new Set(set)} changes={changes} />
            </Tabs.Panel>
          ))}
        </Tabs.Root>
      )}
    </PageFrame>
  );
}

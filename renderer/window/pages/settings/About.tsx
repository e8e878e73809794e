import { useState } from 'react';
import { unwrap } from '../../../shared/api.ts';
import { Button } from '../../../shared/Button.tsx';
import { FactList, Panel } from '../../Page.tsx';
import type { SettingsPart } from './Settings.tsx';

/** Versions and places, what is missing, and whether the agent can be woken. */
export function About({ api, act, status }: SettingsPart) {
  return (
    <>
      {status.notes.length > 0 && (
        <Panel label="What is missing">
          <Sentences of={status.notes} />
        </Panel>
      )}
      <FactList
        label="State"
        facts={[
          ['Version', status.version],
          ['Runs on', status.platform],
          ['Agents call', <code key="url">{status.url}</code>],
          ['Telegram', status.telegram.replace('_', ' ')],
          ['Database', status.database],
          ['Data folder', <code key="data">{status.data_dir}</code>],
        ]}
      />
      <Wake api={api} act={act} />
    </>
  );
}

export function Sentences({ of }: Readonly<{ of: readonly string[] }>) {
  return (
    <ul>
      {of.map((sentence) => (
        <li key={sentence}>{sentence}</li>
      ))}
    </ul>
  );
}

function Wake({ api, act }: Pick<SettingsPart, 'api' | 'act'>) {
  const [tested, setTested] = useState<string | null>(null);
  const test = () => act(async () => setTested((await unwrap(api.calls.wakeTest(null))).detail));
  return (
    <Panel label="Waking the agent">
      <p role="status">{tested ?? 'Sends a test message to the agent as if a request had finished.'}</p>
      <Button onClick={() => void test()}>Test the wake</Button>
    </Panel>
  );
}

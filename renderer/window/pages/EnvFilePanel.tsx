import { useState } from 'react';
import type { EnvEntry, EnvFile, EnvImported } from '../../../contract/envImport.ts';
import { Button } from '../../shared/Button.tsx';
import { Actions, Panel, Table } from '../Page.tsx';

type EnvFilePanelProps = Readonly<{
  of: EnvFile;
  take: (names: string[]) => Promise<EnvImported | null>;
  done: () => void;
}>;

/** What stands in a `.env` file, by name; the owner chooses what goes into the vault. */
export function EnvFilePanel({ of, take, done }: EnvFilePanelProps) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(
    () => new Set(of.entries.filter(({ state }) => state === 'new').map(({ name }) => name)),
  );
  const [imported, setImported] = useState<EnvImported | null>(null);
  if (imported !== null) return <Imported of={imported} file={of.file} done={done} />;
  const toggle = (name: string) =>
    setChosen((before) => {
      const after = new Set(before);
      if (!after.delete(name)) after.add(name);
      return after;
    });
  return (
    <Panel label={`Import from ${of.file}`}>
      <Table
        label="Names in the file"
        columns={['Import', 'Name', 'What happens']}
        rows={of.entries.map((entry) => ({
          key: entry.name,
          cells: [
            <input
              key="chosen"
              type="checkbox"
              aria-label={`Import ${entry.name}`}
              disabled={entry.state === 'refused'}
              checked={chosen.has(entry.name)}
              onChange={() => toggle(entry.name)}
            />,
            <code key="name">{entry.name}</code>,
            becomes(entry),
          ],
        }))}
      />
      <Actions>
        <Button
          tone="primary"
          disabled={chosen.size === 0}
          onClick={() => void take([...chosen]).then((result) => result !== null && setImported(result))}
        >
          {chosen.size === 1 ? 'Import 1 secret' : `Import ${chosen.size} secrets`}
        </Button>
        <Button tone="quiet" onClick={done}>
          Cancel
        </Button>
      </Actions>
    </Panel>
  );
}

function becomes({ state, reason, hosts }: EnvEntry): string {
  switch (state) {
    case 'refused':
      return reason ?? 'cannot be a secret';
    case 'exists':
      return 'the secret of this name gets this value; where it may go stays';
    case 'new':
      return hosts.length === 0 ? 'new; its first card asks where it may go' : `new, for ${hosts.join(', ')}`;
  }
}

function Imported({ of, file, done }: Readonly<{ of: EnvImported; file: string; done: () => void }>) {
  return (
    <Panel label="Imported">
      <p role="status">
        {of.added.length === 0 ? 'Nothing was imported.' : `In the vault now: ${of.added.join(', ')}.`}
      </p>
      {of.problems.length > 0 && (
        <ul role="alert">
          {of.problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      )}
      {of.added.length > 0 && (
        <p>
          The values still stand in <code>{file}</code>. Delete them there, or whoever reads that file has your keys.
        </p>
      )}
      <Button onClick={done}>Done</Button>
    </Panel>
  );
}

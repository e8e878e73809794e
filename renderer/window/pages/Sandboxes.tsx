import type { SandboxView } from '../../../contract/owner.ts';
import { isolations } from '../../../contract/runtime.ts';
import { unwrap } from '../../shared/api.ts';
import { Button } from '../../shared/Button.tsx';
import type { PageProps } from '../App.tsx';
import { Table } from '../Page.tsx';
import type { useAction } from '../useAction.ts';

type SandboxesProps = Readonly<{
  api: PageProps['api'];
  act: ReturnType<typeof useAction>['act'];
  of: readonly SandboxView[];
}>;

/** A level of which nothing can be had for one and the same reason is one row. */
function rowsOf(views: readonly SandboxView[]): readonly Readonly<{ view: SandboxView; runtimes: string }>[] {
  return isolations.flatMap((isolation) => {
    const level = views.filter((view) => view.isolation === isolation);
    const [first] = level;
    const alike = level.every(({ state, detail }) => state === 'unavailable' && detail === first?.detail);
    if (first !== undefined && alike) return [{ view: first, runtimes: 'all' }];
    return level.map((view) => ({ view, runtimes: view.runtime }));
  });
}

/** Every runtime at every isolation level, how far it is, and a button for what can be made. */
export function Sandboxes({ api, act, of }: SandboxesProps) {
  const make = ({ runtime, isolation }: SandboxView) =>
    act(() => unwrap(api.calls.prepareSandbox({ runtime, isolation })));
  return (
    <Table
      label="Sandboxes"
      columns={['Isolation', 'Runtime', 'State', '']}
      rows={rowsOf(of).map(({ view, runtimes }) => ({
        key: `${view.isolation} ${view.runtime}`,
        cells: [
          view.isolation,
          runtimes,
          view.state === 'ready' ? 'ready' : view.detail,
          view.state === 'coming' && (
            <Button
              key="make"
              label={`Make the ${view.runtime} sandbox for isolation ${view.isolation} now`}
              onClick={() => void make(view)}
            >
              Make it now
            </Button>
          ),
        ],
      }))}
    />
  );
}

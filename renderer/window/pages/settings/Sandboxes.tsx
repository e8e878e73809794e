import type { SandboxView } from '../../../../contract/owner.ts';
import { isolationNames, isolations, runtimeNames } from '../../../../contract/runtime.ts';
import { unwrap } from '../../../shared/api.ts';
import { Button } from '../../../shared/Button.tsx';
import type { PageProps } from '../../App.tsx';
import { Table } from '../../Page.tsx';
import type { useAction } from '../../useAction.ts';

type SandboxesProps = Readonly<{
  api: PageProps['api'];
  act: ReturnType<typeof useAction>['act'];
  of: readonly SandboxView[];
}>;

type Row = Readonly<{ view: SandboxView; runtimes: string }>;

/** What is alike at one level, and has no button of its own, is one row. */
function rowsOf(views: readonly SandboxView[]): readonly Row[] {
  return isolations.flatMap((isolation) => {
    const level = views.filter((view) => view.isolation === isolation);
    const alike = (left: SandboxView, right: SandboxView): boolean =>
      left === right || (left.state !== 'coming' && left.state === right.state && left.detail === right.detail);
    return level
      .filter((view) => level.find((other) => alike(other, view)) === view)
      .map((view) => {
        const names = level.filter((other) => alike(view, other)).map(({ runtime }) => runtimeNames[runtime]);
        return { view, runtimes: names.join(', ') };
      });
  });
}

/** Every runtime at every isolation level, how far it is, and a button for what can be made. */
export function Sandboxes({ api, act, of }: SandboxesProps) {
  const make = ({ runtime, isolation }: SandboxView) =>
    act(() => unwrap(api.calls.prepareSandbox({ runtime, isolation })));
  return (
    <Table
      label="Sandboxes"
      columns={['Sandbox', 'Runs', 'State', '']}
      rows={rowsOf(of).map(({ view, runtimes }) => ({
        key: `${view.isolation} ${view.runtime}`,
        cells: [
          isolationNames[view.isolation],
          runtimes,
          view.state === 'ready' ? 'ready' : view.detail,
          view.state === 'coming' && (
            <Button
              key="make"
              label={`Make ${runtimeNames[view.runtime]} now (${isolationNames[view.isolation]})`}
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

import { ApprovalDesk } from './approvals/desk.ts';
import type { Books } from './houseBooks.ts';
import type { openSandboxes } from './houseRuns.ts';
import { fetchText } from './net/fetchText.ts';
import type { Upstream } from './net/upstream.ts';
import { followRequests } from './requests/deskFollower.ts';
import { RequestExpiry } from './requests/expiry.ts';
import { Intake } from './requests/intake.ts';
import { ManifestShelf } from './requests/manifestShelf.ts';
import { Pairing } from './requests/pairing.ts';
import type { DeskPort, SandboxPort } from './requests/ports.ts';
import type { RequestWaits } from './requests/requestWaits.ts';
import { RunCards } from './requests/runCards.ts';
import { RunRefresh } from './requests/runRefresh.ts';
import { RunSubject } from './requests/runSubject.ts';
import { RequestStatus } from './requests/status.ts';
import type { Scheduler } from './runs/scheduler.ts';
import type { StopList } from './stopList.ts';

/** The agent's side and the desk where both sides meet. Nothing is shown before `desk.start`. */
export function openRequests(
  books: Books,
  { sandboxes, defaultRuntime }: Awaited<ReturnType<typeof openSandboxes>>,
  parts: Readonly<{ upstream: Upstream; waits: RequestWaits; scheduler: Scheduler }>,
  stops: StopList,
) {
  const { records, clock, clockGuard, random, settings, vault, pause, localServices, events, log } = books;
  const { upstream, waits, scheduler } = parts;
  const localNames = () => localServices.names();
  const sandbox: SandboxPort = {
    defaultRuntime,
    pick: (runtime, minimum) => sandboxes.pick(runtime, minimum),
    notes: (isolation) => sandboxes.notes(isolation),
    want: (runtime, minimum) => sandboxes.want(runtime, minimum),
  };
  // Desk, subjects and refresh know each other; they reach the desk through this.
  const toDesk: DeskPort = {
    open: (subject, id) => desk.open(subject, id),
    refresh: (subject, id) => desk.refresh(subject, id),
    ended: (subject, id, outcome) => desk.ended(subject, id, outcome),
  };

  const pairing = new Pairing({ records, settings, clock, random, desk: toDesk });
  stops.add('pairing', () => pairing.close());
  const alsoExpire = (nowMs: number) => pairing.sweep(nowMs);
  const expiry = new RequestExpiry({ records, events, clock, clockGuard, alsoExpire, log });
  stops.add('expiry', () => expiry.stop());
  const refresh = new RunRefresh({ records, sandbox, desk: toDesk, clock });
  const manifests = new ManifestShelf(records);
  const cards = new RunCards({ records, manifests, localNames, sandbox });
  const decisions = { cards, refresh, expiry, clockGuard, launcher: scheduler };
  const runs = new RunSubject({ ...decisions, records, events, sandbox, vault, pause, random });
  const desk = new ApprovalDesk({
    handlers: [runs, pairing],
    records,
    clock,
    audit: (event) => records.appendAudit(event, clock.wallMs()),
    log,
  });
  stops.add('cards', followRequests(events, toDesk));

  const intake = new Intake({
    records,
    manifests,
    clock,
    clockGuard,
    random,
    settings,
    vault,
    pause,
    sandbox,
    localNames,
    fetchSource: (source) => fetchText(source, { upstream }),
    desk: toDesk,
    launcher: scheduler,
    events,
    waits,
  });
  const status = new RequestStatus({ records, clock, events, waits, launcher: scheduler });
  return { desk, refresh, expiry, pairing, intake, status };
}

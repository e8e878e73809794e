import { CodedError } from '../../contract/errors.ts';
import type { CardKey, DeskSnapshot, Handlers, Opening, WindowContract } from '../../contract/ipc.ts';
import type { OwnerActions } from '../../contract/owner.ts';
import type { Desk } from '../approvals/channel.ts';
import type { Admission } from './admission.ts';
import type { AuditDesk } from './auditDesk.ts';
import type { EnvImport } from './envImport.ts';
import type { Presenter } from './presenter.ts';
import type { RunWatch } from './runWatch.ts';
import type { TokenCopy } from './tokenCopy.ts';
import type { TrayFacts } from './trayModel.ts';

/** Opens what the owner clicked in the list, null: nothing. Throws `already_decided` when it does not wait any more. */
export function showCard(presenter: Pick<Presenter, 'open' | 'close'>, key: CardKey | null): void {
  if (key === null) presenter.close();
  // The page lists what has ended until it has read the list again: a click on it must not go unanswered.
  else if (!presenter.open(key, false)) throw new CodedError('already_decided', 'This request does not wait any more.');
}

/** How things stand now, for the window. The rows tell which card is which; there is nothing in them to press. */
export function deskSnapshot(
  desk: Pick<Desk, 'waiting'>,
  { running, paused, vault, preparing }: TrayFacts,
): DeskSnapshot {
  const waiting = desk.waiting().map(({ subject, id, sentence, createdAtMs, expiresAtMs }) => ({
    subject,
    id,
    sentence,
    createdAtMs,
    expiresAtMs,
  }));
  return { waiting, running, paused, vault, preparing };
}

export type WindowParts = Readonly<{
  owner: OwnerActions;
  opening: () => Opening;
  presenter: Presenter;
  envImport: EnvImport;
  auditDesk: AuditDesk;
  runWatch: RunWatch;
  admission: Admission;
  tokenCopy: TokenCopy;
  quit: () => void;
}>;

/** The window view looks and manages. It has no way to decide, to confirm a binding or to read a secret value. */
export function windowHandlers(parts: WindowParts): Handlers<WindowContract> {
  const { owner, opening, presenter, envImport, auditDesk, runWatch, admission, tokenCopy, quit } = parts;
  const by = 'desktop';
  return {
    status: () => owner.status(),
    opening,
    showCard: (key) => showCard(presenter, key),
    agents: () => owner.agents(),
    addAgent: ({ name }) => owner.addAgent(by, name),
    pauseAgent: ({ name, paused }) => owner.pauseAgent(by, name, paused),
    rotateAgent: ({ name }) => owner.rotateAgent(by, name),
    revokeAgent: ({ name }) => owner.revokeAgent(by, name),
    copyToken: ({ token }) => tokenCopy.copy(token),
    secrets: () => owner.secrets(),
    addSecret: (input) => owner.addSecret(by, input),
    bindSecret: (input) => owner.bindSecret(by, input),
    rotateSecret: ({ name, value, keepTrust }) => owner.rotateSecret(by, name, value, keepTrust),
    removeSecret: ({ name }) => owner.removeSecret(by, name),
    chooseEnvFile: () => envImport.choose(),
    importEnv: ({ names }) => envImport.import(names),
    forgetEnvFile: () => envImport.forget(),
    trust: () => owner.trust(),
    revokeTrust: ({ id }) => owner.revokeTrust(by, id),
    revokeAllTrust: () => owner.revokeAllTrust(by),
    requests: (filter) => owner.requests(filter),
    requestDetail: ({ id }) => owner.requestDetail(id),
    prepareSandbox: ({ runtime, isolation }) => void owner.prepareSandboxes([runtime], isolation, () => {}),
    extendRequest: ({ id, minutes }) => owner.extendRequest(by, id, minutes),
    killRun: ({ id }) => owner.killRun(by, id),
    runs: (input) => owner.runs(input),
    run: ({ id }) => owner.run(id),
    runText: (input) => owner.runText(input),
    runExchanges: (input) => owner.runExchanges(input),
    watchRun: (run) => runWatch.watch(run?.id ?? null),
    audit: (query) => auditDesk.lines(query),
    auditEvent: ({ seq }) => auditDesk.detail(seq),
    auditValues: ({ facet, begins }) => owner.auditValues(facet, begins),
    verifyAudit: () => auditDesk.verify(),
    exportAudit: ({ format, filter }) => auditDesk.export(format, filter),
    cancelAudit: ({ job }) => auditDesk.cancel(job),
    statistics: ({ days }) => owner.statistics(days),
    sampleRequest: () => owner.sampleRequest(by),
    settings: () => owner.settings(),
    environmentSettings: () => owner.environmentSettings(),
    setSetting: ({ key, value }) => owner.setSetting(by, key, value),
    localServices: () => owner.localServices(),
    addLocalService: ({ entry }) => owner.addLocalService(by, entry),
    removeLocalService: ({ name }) => owner.removeLocalService(by, name),
    unlock: ({ passphrase }) => owner.unlock(by, passphrase),
    lock: () => owner.lock(by),
    setPassphrase: ({ passphrase }) => owner.setPassphrase(by, passphrase),
    pause: () => owner.pause(by),
    resume: () => owner.resume(by),
    quit,
    panic: () => owner.panic(by),
    wakeTest: () => owner.wakeTest(by),
    telegram: () => owner.telegram().view(),
    telegramConnect: ({ token }) => owner.telegram().connect(by, token),
    telegramInvite: ({ kind }) => owner.telegram().invite(by, kind),
    telegramCancelInvite: () => owner.telegram().cancelInvitation(by),
    telegramAdmit: ({ chatId }) => admission.admit(chatId),
    telegramRemove: ({ chatId }) => owner.telegram().remove(by, chatId),
    telegramTest: () => owner.telegram().test(by),
    telegramDisconnect: () => owner.telegram().disconnect(by),
  };
}

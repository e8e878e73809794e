import type { OwnerActions } from '../contract/owner.ts';
import type { ConfirmBinding } from './approvals/channel.ts';
import type { ApprovalDesk } from './approvals/desk.ts';
import type { BrokerOptions } from './broker.ts';
import type { Books } from './houseBooks.ts';
import { NotificationChannel } from './notify/channel.ts';
import type { RunRefresh } from './requests/runRefresh.ts';
import type { StopList } from './stopList.ts';
import { TelegramRoom } from './telegram/room.ts';

type Parts = Readonly<{ desk: ApprovalDesk; owner: () => OwnerActions; refresh: RunRefresh }>;

/** The room of the owner's bot; it starts nothing before its `start`. */
export function makeTelegramRoom(
  { telegram: config }: BrokerOptions['config'],
  { records, vault, clock, random, log, notices, facts }: Books,
  { desk, owner, refresh }: Parts,
  stops: StopList,
): TelegramRoom {
  const confirmBinding: ConfirmBinding = (...binding) => refresh.confirmBinding(...binding);
  const room = new TelegramRoom({
    config,
    vault,
    records,
    desk,
    owner,
    confirmBinding,
    clock,
    random,
    log,
    changed: facts.emit,
  });
  notices.addPlace((text) => room.notice(text));
  stops.add('telegram', () => room.stop());
  return room;
}

/** The desktop's own channels: notifications, and what the shell brought along. */
export function openDesktopChannels(
  { notifier, openCard, extraChannels }: BrokerOptions['ports'],
  { settings, notices, random, log }: Books,
  { desk }: Pick<Parts, 'desk'>,
  stops: StopList,
): void {
  for (const channel of extraChannels ?? []) desk.addChannel(channel);
  if (notifier === undefined || notifier === null) return;
  const notifications = new NotificationChannel({
    notifier,
    desk,
    openCard: (subject, id) => openCard?.(subject, id),
    isOn: () => settings.get('notify.cards'),
    runOnce: () => settings.get('notify.run_once'),
    random,
    log,
  });
  desk.addChannel(notifications);
  notices.addPlace((text) => notifications.notice(text));
  stops.add('notifications', () => notifier.dispose());
}

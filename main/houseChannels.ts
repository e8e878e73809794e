import type { OwnerActions } from '../contract/owner.ts';
import type { ConfirmBinding } from './approvals/channel.ts';
import type { ApprovalDesk } from './approvals/desk.ts';
import type { BrokerOptions } from './broker.ts';
import type { Books } from './houseBooks.ts';
import { NotificationChannel } from './notify/channel.ts';
import type { RunRefresh } from './requests/runRefresh.ts';
import type { StopList } from './stopList.ts';
import type { Telegram } from './telegram/telegram.ts';

type Parts = Readonly<{ desk: ApprovalDesk; owner: OwnerActions; refresh: RunRefresh }>;

/** The bot, started, or null when none is configured. */
export async function openTelegram(
  { telegram: config }: BrokerOptions['config'],
  { records, clock, random, log, notices }: Books,
  { desk, owner, refresh }: Parts,
  stops: StopList,
): Promise<Telegram | null> {
  const { botToken, chatIds, apiRoot } = config;
  if (botToken === null) return null;
  const confirmBinding: ConfirmBinding = (...binding) => refresh.confirmBinding(...binding);
  // Loaded only here: most of the time that a start takes is loading code.
  const { Telegram } = await import('./telegram/telegram.ts');
  const telegram = new Telegram(
    { token: botToken, chatIds, ...(apiRoot === null ? {} : { apiRoot }) },
    { desk, owner, confirmBinding, records, clock, random, log },
  );
  desk.addChannel(telegram.channel);
  notices.addPlace((text) => telegram.notice(text));
  stops.add('telegram', () => telegram.stop());
  telegram.start();
  return telegram;
}

/** The desktop's own channels: notifications, and what the shell brought along. */
export function openDesktopChannels(
  { notifier, openCard, extraChannels }: BrokerOptions['ports'],
  { settings, notices, random, log }: Books,
  { desk }: Parts,
  stops: StopList,
): void {
  for (const channel of extraChannels ?? []) desk.addChannel(channel);
  if (notifier === undefined || notifier === null) return;
  const notifications = new NotificationChannel({
    notifier,
    desk,
    openCard: (subject, id) => openCard?.(subject, id),
    runOnce: () => settings.get('notify.run_once'),
    random,
    log,
  });
  desk.addChannel(notifications);
  notices.addPlace((text) => notifications.notice(text));
  stops.add('notifications', () => notifier.dispose());
}

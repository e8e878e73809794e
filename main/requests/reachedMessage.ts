import type { ChannelName } from '../approvals/channel.ts';

const channelWords: Readonly<Record<ChannelName, string>> = {
  telegram: 'Telegram',
  window: 'the app window',
  notification: 'a desktop notification',
};
const order: readonly ChannelName[] = ['telegram', 'window', 'notification'];

/** Tells the agent where the owner was asked. */
export function reachedMessage(reached: readonly ChannelName[]): string {
  const words = order.filter((name) => reached.includes(name)).map((name) => channelWords[name]);
  const last = words.pop();
  if (last === undefined) return 'Waiting in the app window';
  return `Approval request sent to ${words.length === 0 ? last : `${words.join(', ')} and ${last}`}`;
}

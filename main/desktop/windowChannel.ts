import type { Channel } from '../approvals/channel.ts';
import type { Presenter } from './presenter.ts';

/**
 * The window as a channel. It always has every card, so it never counts as "reached": an agent that is told
 * "Waiting in the app window" knows that nobody was called.
 */
export function windowChannel(presenter: Presenter, emitChanged: () => void): Channel {
  return {
    name: 'window',
    show: async () => {
      emitChanged();
      return { reached: false };
    },
    update: async (card) => {
      emitChanged();
      presenter.cardChanged(card);
    },
    close: async (key, outcome) => {
      emitChanged();
      presenter.cardEnded(key, outcome);
    },
  };
}

import { EventEmitter } from 'node:events';
import type { NotificationConstructorOptions } from 'electron';
import { describe, expect, it } from 'vitest';
import { ElectronNotifier } from './electronNotifier.ts';

const made: FakeNotification[] = [];

class FakeNotification extends EventEmitter {
  static isSupported(): boolean {
    return true;
  }

  readonly options: NotificationConstructorOptions;
  closed = false;

  constructor(options: NotificationConstructorOptions) {
    super();
    this.options = options;
    made.push(this);
  }

  show(): void {}

  close(): void {
    this.closed = true;
    this.emit('close');
  }
}

const request = {
  title: 'T',
  body: 'B',
  actions: [
    { key: 'k-review', label: 'Review' },
    { key: 'k-deny', label: 'Deny' },
  ],
  defaultKey: 'k-review',
  urgency: 'critical',
  replaces: null,
} as const;

function setUp(platform: NodeJS.Platform, electron = '45.4.1') {
  const seen: string[] = [];
  const notifier = new ElectronNotifier(FakeNotification, { platform, electron });
  notifier.listen({
    action: (id, key) => seen.push(`${id} ${key}`),
    closed: (id) => seen.push(`${id} closed`),
    restarted: () => seen.push('restarted'),
  });
  return { notifier, seen };
}

describe('notifications of Electron', () => {
  it('answer with the key of the button, never with its place', async () => {
    const { notifier, seen } = setUp('darwin');
    await notifier.show(request);
    const shown = made.at(-1);
    shown?.emit('action', {}, 1);
    shown?.emit('action', {}, 2);
    shown?.emit('action', {}, -1);
    expect(seen).toEqual(['1 k-deny']);
  });

  it('open the card on a click, also where no buttons are drawn', async () => {
    const { notifier, seen } = setUp('win32', '41.2.1');
    await notifier.show(request);
    expect(made.at(-1)?.options.actions).toEqual([]);
    made.at(-1)?.emit('click');
    expect(seen).toEqual(['1 k-review']);
  });

  it.each([
    ['darwin', '33.4.0', 2],
    ['win32', '45.4.1', 2],
    ['win32', '33.4.0', 0],
    ['linux', '45.4.1', 0],
  ] as const)('have on %s with Electron %s %d buttons', async (platform, electron, count) => {
    await setUp(platform, electron).notifier.show(request);
    expect(made.at(-1)?.options.actions).toHaveLength(count);
  });

  it('say nothing any more once they are closed', async () => {
    const { notifier, seen } = setUp('darwin');
    await notifier.show(request);
    await notifier.close(1);
    made.at(-1)?.emit('action', {}, 1);
    expect(made.at(-1)?.closed).toBe(true);
    expect(seen).toEqual([]);
  });
});

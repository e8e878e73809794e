import type { NotificationConstructorOptions } from 'electron';
import type { NotificationRequest, Notifier, NotifierCapabilities, NotifierListener } from './notifier.ts';

/** The part of Electron's Notification that is used; the class itself is handed in, so that this runs without Electron. */
export type ShownNotification = {
  on(event: 'action', listener: (event: unknown, index: number) => void): unknown;
  on(event: 'click' | 'close', listener: () => void): unknown;
  show(): void;
  close(): void;
};
export type NotificationClass = Readonly<{ isSupported(): boolean }> &
  (new (
    options: NotificationConstructorOptions,
  ) => ShownNotification);

type System = Readonly<{ platform: NodeJS.Platform; electron: string | undefined }>;

/** Buttons on Windows came with Electron 41, and say that they were pressed since 42 (electron/electron#51147). */
const windowsActionsSince = 42;

function drawsActions({ platform, electron = '0' }: System): boolean {
  return platform === 'darwin' || (platform === 'win32' && Number.parseInt(electron, 10) >= windowsActionsSince);
}

/** Notifications on macOS and Windows. Where no buttons are drawn, a click opens the card all the same. */
export class ElectronNotifier implements Notifier {
  readonly #Notification: NotificationClass;
  readonly #hasActions: boolean;
  readonly #shown = new Map<number, Pick<ShownNotification, 'close'>>();
  #listener: NotifierListener | null = null;
  #nextId = 1;

  constructor(
    notification: NotificationClass,
    system: System = { platform: process.platform, electron: process.versions.electron },
  ) {
    this.#Notification = notification;
    this.#hasActions = drawsActions(system);
  }

  async capabilities(): Promise<NotifierCapabilities> {
    if (!this.#Notification.isSupported()) return { available: false, reason: 'this desktop shows no notifications' };
    // Ids are ours and end with this process.
    return { available: true, actions: this.#hasActions, session: `process ${process.pid}` };
  }

  async show(request: NotificationRequest): Promise<number | null> {
    if (!this.#Notification.isSupported()) return null;
    if (request.replaces !== null) await this.close(request.replaces);
    const id = this.#nextId;
    this.#nextId += 1;
    const actions = this.#hasActions ? request.actions : [];
    const notification = new this.#Notification({
      title: request.title,
      body: request.body,
      silent: false,
      timeoutType: 'never',
      urgency: request.urgency,
      actions: actions.map(({ label }) => ({ type: 'button', text: label })),
    });
    notification.on('action', (_event, index) => {
      const key = actions[index]?.key;
      if (key !== undefined && this.#shown.has(id)) this.#listener?.action(id, key);
    });
    notification.on('click', () => {
      if (request.defaultKey !== null && this.#shown.has(id)) this.#listener?.action(id, request.defaultKey);
    });
    notification.on('close', () => {
      if (this.#shown.delete(id)) this.#listener?.closed(id);
    });
    this.#shown.set(id, notification);
    notification.show();
    return id;
  }

  async close(id: number): Promise<void> {
    const notification = this.#shown.get(id);
    this.#shown.delete(id);
    notification?.close();
  }

  listen(listener: NotifierListener): void {
    this.#listener = listener;
  }

  async dispose(): Promise<void> {
    for (const id of [...this.#shown.keys()]) await this.close(id);
  }
}

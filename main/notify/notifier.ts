/** Keys are random nonces: what comes back can only be what was put there. */
export type NotificationAction = Readonly<{ key: string; label: string }>;

export type NotificationRequest = Readonly<{
  title: string;
  /** Plain text; an adapter escapes it where the system reads markup. */
  body: string;
  actions: readonly NotificationAction[];
  /** The action that a click on the notification itself means; null: such a click means nothing. */
  defaultKey: string | null;
  urgency: 'normal' | 'critical';
  /** Shows it in place of this one. */
  replaces: number | null;
}>;

export type NotifierCapabilities =
  /** `session` tells apart the lives of the notification service: ids mean something only within one. */
  Readonly<{ available: true; actions: boolean; session: string }> | Readonly<{ available: false; reason: string }>;

/** The desktop's notification service. Calls never reject. Owned by this room; adapters: D-Bus, Electron. */
export interface Notifier {
  capabilities(): Promise<NotifierCapabilities>;
  /** The id, or null when it could not be shown. */
  show(request: NotificationRequest): Promise<number | null>;
  close(id: number): Promise<void>;
  /** Listeners are called for notifications of ours only. */
  listen(listener: NotifierListener): void;
  dispose(): Promise<void>;
}

export type NotifierListener = Readonly<{
  action(id: number, key: string): void;
  /** Dismissed, timed out, or closed by us: never an answer. */
  closed(id: number): void;
  /** The service came (back); whatever was shown before is gone. */
  restarted(): void;
}>;

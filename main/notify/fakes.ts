import type { NotificationRequest, Notifier, NotifierCapabilities, NotifierListener } from './notifier.ts';

/** For tests: a notification area in memory, pressed and dismissed by the test. */
export class FakeNotifier implements Notifier {
  readonly shown = new Map<number, NotificationRequest>();
  session = 'service 1';
  available = true;
  #listener: NotifierListener | null = null;
  #nextId = 1;

  async capabilities(): Promise<NotifierCapabilities> {
    if (!this.available) return { available: false, reason: 'no service' };
    return { available: true, actions: true, session: this.session };
  }

  async show(request: NotificationRequest): Promise<number | null> {
    if (!this.available) return null;
    const id = request.replaces ?? this.#nextId;
    this.#nextId = Math.max(this.#nextId, id + 1);
    this.shown.set(id, request);
    return id;
  }

  async close(id: number): Promise<void> {
    if (this.shown.delete(id)) this.#listener?.closed(id);
  }

  listen(listener: NotifierListener): void {
    this.#listener = listener;
  }

  async dispose(): Promise<void> {}

  key(id: number, label: string): string {
    return this.shown.get(id)?.actions.find((action) => action.label === label)?.key ?? 'no such action';
  }

  /** The action alone, as when a desktop keeps the notification. */
  act(id: number, key: string): void {
    this.#listener?.action(id, key);
  }

  /** A click as desktops do it: the action, then the end of the notification. */
  press(id: number, key: string): void {
    this.#listener?.action(id, key);
    this.dismiss(id);
  }

  dismiss(id: number): void {
    if (this.shown.delete(id)) this.#listener?.closed(id);
  }

  /** The service ends and comes back, or comes up for the first time. */
  restart(): void {
    this.shown.clear();
    this.session = `${this.session}+`;
    this.available = true;
    this.#listener?.restarted();
  }
}

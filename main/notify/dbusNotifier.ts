import { existsSync } from 'node:fs';
import { type Message, type MessageBus, sessionBus } from 'dbus-native';
import { z } from 'zod';
import type { Log } from '../core/log.ts';
import type { NotificationRequest, Notifier, NotifierCapabilities, NotifierListener } from './notifier.ts';

const SERVICE = 'org.freedesktop.Notifications';
const PATH = '/org/freedesktop/Notifications';
const BUS = 'org.freedesktop.DBus';
const SIGNAL = 4;
const CALL_TIMEOUT_MS = 5000;

const id = z.number().int().positive();
const capabilitiesSchema = z.array(z.string());
const serverSchema = z.string();
const actionSchema = z.tuple([id, z.string()]);
const closedSchema = z.tuple([id, z.number()]);
const ownerChangeSchema = z.tuple([z.literal(SERVICE), z.string(), z.string()]);

/** What the service told of itself. */
type Server = Readonly<{ markup: boolean; actions: boolean; drawsDefault: boolean }>;
type Link = Readonly<{ bus: MessageBus; guid: string }>;

/** Address of the session bus: as the environment says, else the usual socket, else null. */
export function sessionBusAddress(env: Readonly<Record<string, string | undefined>>): string | null {
  const address = env.DBUS_SESSION_BUS_ADDRESS ?? '';
  // What Chromium writes there when it found none.
  if (address.startsWith('disabled:')) return null;
  if (address !== '') return address;
  const socket = `${env.XDG_RUNTIME_DIR ?? '/nonexistent'}/bus`;
  return existsSync(socket) ? `unix:path=${socket}` : null;
}

/**
 * Desktop Notifications Specification 1.2 over D-Bus, for Linux. Its signals are broadcast and anybody may send one, so
 * an answer counts only from the connection that owns the service name right now, and only for an id of ours.
 */
export class DbusNotifier implements Notifier {
  readonly #address: string | null;
  readonly #log: Log;
  readonly #shown = new Map<number, Readonly<{ defaultKey: string | null }>>();
  #listener: NotifierListener | null = null;
  #link: Promise<Link> | null = null;
  /** Unique bus name of the service; empty: it does not run. */
  #owner = '';
  #server: Server | null = null;
  #disposed = false;

  constructor(address: string | null, log: Log) {
    this.#address = address;
    this.#log = log;
  }

  async capabilities(): Promise<NotifierCapabilities> {
    if (this.#address === null) return { available: false, reason: 'there is no session bus' };
    try {
      const { bus, guid } = await this.#connected();
      const { actions } = this.#server ?? (await this.#askServer(bus));
      return { available: true, actions, session: `${guid} ${this.#owner}` };
    } catch (error) {
      return { available: false, reason: `no notification service answers (${nameOf(error)})` };
    }
  }

  async show(request: NotificationRequest): Promise<number | null> {
    if (this.#address === null) return null;
    try {
      const { bus } = await this.#connected();
      const server = this.#server ?? (await this.#askServer(bus));
      return await this.#notify(bus, server, request);
    } catch (error) {
      this.#log.warn({ error: nameOf(error) }, 'a notification could not be shown');
      return null;
    }
  }

  async close(notification: number): Promise<void> {
    this.#shown.delete(notification);
    if (this.#link === null) return;
    try {
      const { bus } = await this.#link;
      await this.#call(bus, 'CloseNotification', 'u', [notification]);
    } catch (error) {
      this.#log.debug({ error: nameOf(error) }, 'a notification could not be closed');
    }
  }

  listen(listener: NotifierListener): void {
    this.#listener = listener;
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    const link = await this.#link?.catch(() => null);
    await link?.bus.close();
  }

  #connected(): Promise<Link> {
    this.#link ??= this.#connect().catch((error: unknown) => {
      this.#link = null;
      throw error;
    });
    return this.#link;
  }

  async #connect(): Promise<Link> {
    if (this.#address === null || this.#disposed) throw new Error('no session bus');
    const bus = sessionBus({ busAddress: this.#address, timeout: CALL_TIMEOUT_MS });
    const gone = (): void => {
      this.#link = null;
      this.#owner = '';
      this.#server = null;
      this.#shown.clear();
    };
    bus.connection.on('error', (error) => {
      this.#log.debug({ error: nameOf(error) }, 'the session bus failed');
      gone();
    });
    bus.connection.on('close', gone);
    bus.connection.on('message', (message) => this.#received(message));
    // Before the first Notify: an answer must not come before we listen.
    await bus.addMatch(`type='signal',interface='${SERVICE}',path='${PATH}'`);
    await bus.addMatch(`type='signal',sender='${BUS}',interface='${BUS}',member='NameOwnerChanged',arg0='${SERVICE}'`);
    const guid = z.string().parse(await bus.getId());
    this.#owner = await bus.getNameOwner(SERVICE).catch(() => '');
    return { bus, guid };
  }

  async #askServer(bus: MessageBus): Promise<Server> {
    // The call also starts a service that the bus can activate.
    const names = capabilitiesSchema.parse(await this.#call(bus, 'GetCapabilities', '', []));
    const product = serverSchema.parse(await this.#first(bus, 'GetServerInformation'));
    this.#owner = z.string().parse(await bus.getNameOwner(SERVICE));
    this.#server = {
      markup: names.includes('body-markup'),
      actions: names.includes('actions'),
      // Draws the action of a click on the body as one more button (seen in xfce4-notifyd 0.7.3).
      drawsDefault: /xfce/i.test(product),
    };
    return this.#server;
  }

  #notify(bus: MessageBus, server: Server, request: NotificationRequest): Promise<number> {
    const body = server.markup ? escapeMarkup(request.body) : request.body;
    const hints = [
      ['urgency', ['y', request.urgency === 'critical' ? 2 : 1]],
      ['desktop-entry', ['s', 'oauth3']],
    ];
    const actions = server.actions ? actionList(request, server.drawsDefault) : [];
    const values = ['OAuth3', request.replaces ?? 0, '', request.title, body, actions, hints, 0];
    return new Promise((resolve, reject) => {
      // With a callback, since it runs before the next message is read: the id is known when its first signal comes.
      bus.invoke(
        {
          destination: SERVICE,
          path: PATH,
          interface: SERVICE,
          member: 'Notify',
          signature: 'susssasa{sv}i',
          body: values,
        },
        (error, answer: unknown) => {
          const parsed = id.safeParse(answer);
          if (error !== null || !parsed.success) {
            reject(error ?? new Error('Notify answered no id'));
            return;
          }
          if (request.replaces !== null) this.#shown.delete(request.replaces);
          this.#shown.set(parsed.data, { defaultKey: request.defaultKey });
          resolve(parsed.data);
        },
      );
    });
  }

  #received(message: Message): void {
    if (message.type !== SIGNAL) return;
    if (message.sender === BUS && message.interface === BUS && message.member === 'NameOwnerChanged') {
      const change = ownerChangeSchema.safeParse(message.body);
      if (change.success) this.#ownerChanged(change.data[2]);
      return;
    }
    if (message.interface !== SERVICE || message.path !== PATH) return;
    if (this.#owner === '' || message.sender !== this.#owner) {
      this.#log.warn(
        { sender: message.sender, signal: message.member },
        'a notification signal of a stranger was ignored',
      );
      return;
    }
    if (message.member === 'ActionInvoked') this.#actionInvoked(message.body);
    if (message.member === 'NotificationClosed') this.#closed(message.body);
  }

  #actionInvoked(body: unknown): void {
    const action = actionSchema.safeParse(body);
    if (!action.success) return;
    const [notification, key] = action.data;
    const ours = this.#shown.get(notification);
    // The signals of other programs' notifications come here too.
    if (ours === undefined) return;
    const meant = key === 'default' ? ours.defaultKey : key;
    if (meant !== null) this.#listener?.action(notification, meant);
  }

  #closed(body: unknown): void {
    const closed = closedSchema.safeParse(body);
    if (closed.success && this.#shown.delete(closed.data[0])) this.#listener?.closed(closed.data[0]);
  }

  /** A new service knows nothing of our notifications, and gives their ids to others. */
  #ownerChanged(owner: string): void {
    if (owner === this.#owner) return;
    this.#shown.clear();
    this.#server = null;
    this.#owner = owner;
    if (owner !== '') this.#listener?.restarted();
  }

  #call(bus: MessageBus, member: string, signature: string, body: readonly unknown[]): PromiseLike<unknown> {
    return bus.invoke({
      destination: SERVICE,
      path: PATH,
      interface: SERVICE,
      member,
      ...(signature === '' ? {} : { signature, body: [...body] }),
    });
  }

  /** A call that answers several values, of which the first counts. */
  #first(bus: MessageBus, member: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      bus.invoke({ destination: SERVICE, path: PATH, interface: SERVICE, member }, (error, first: unknown) =>
        error === null ? resolve(first) : reject(error),
      );
    });
  }
}

/** Flat list of key and label, as the specification wants it. */
function actionList(request: NotificationRequest, drawsDefault: boolean): readonly string[] {
  return request.actions.flatMap(({ key, label }) => {
    if (key !== request.defaultKey) return [key, label];
    return drawsDefault ? ['default', label] : ['default', label, key, label];
  });
}

function escapeMarkup(text: string): string {
  return text.replace(/[&<>]/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[character] ?? '');
}

function nameOf(error: unknown): string {
  if (error instanceof Error && 'dbusName' in error && typeof error.dbusName === 'string') return error.dbusName;
  return error instanceof Error ? error.message : 'unknown';
}

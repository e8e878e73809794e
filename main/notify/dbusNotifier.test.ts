import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createBroker, type DBusBroker, defineInterface, type MessageBus, sessionBus } from 'dbus-native';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keepingLog } from '../../tests/support/telegramHouse.ts';
import { DbusNotifier, sessionBusAddress } from './dbusNotifier.ts';

const SERVICE = 'org.freedesktop.Notifications';
const PATH = '/org/freedesktop/Notifications';

type Notified = Readonly<{ id: number; replaces: number; title: string; body: string; actions: readonly string[] }>;

/** A notification service on the bus, pressed by the test. */
class FakeService {
  readonly bus: MessageBus;
  readonly notified: Notified[] = [];
  readonly closed: number[] = [];
  #nextId = 7;

  private constructor(bus: MessageBus) {
    this.bus = bus;
  }

  static async start(
    address: string,
    options: Readonly<{ capabilities?: readonly string[]; product?: string; eager?: boolean }> = {},
  ): Promise<FakeService> {
    const service = new FakeService(sessionBus({ busAddress: address }));
    const capabilities = options.capabilities ?? ['actions', 'body', 'body-markup'];
    const definition = defineInterface({
      name: SERVICE,
      methods: {
        GetCapabilities: { out: { capabilities: 'as' }, handler: () => capabilities },
        GetServerInformation: {
          out: { name: 's', vendor: 's', version: 's', spec: 's' },
          handler: () => ({ name: options.product ?? 'Test Service', vendor: 'test', version: '1', spec: '1.2' }),
        },
        Notify: {
          in: {
            app: 's',
            replaces: 'u',
            icon: 's',
            title: 's',
            body: 's',
            actions: 'as',
            hints: 'a{sv}',
            timeout: 'i',
          },
          out: { id: 'u' },
          handler: ({ replaces, title, body, actions }) => {
            const id = replaces === 0 ? service.#nextId++ : replaces;
            service.notified.push({ id, replaces, title, body, actions });
            if (options.eager === true) setImmediate(() => service.press(id, actions[0]));
            return id;
          },
        },
        CloseNotification: {
          in: { id: 'u' },
          handler: ({ id }) => {
            service.closed.push(id);
          },
        },
      },
    });
    await service.bus.export(PATH, definition);
    await service.bus.ownName(SERVICE);
    return service;
  }

  press(id: number, key: string): void {
    this.bus.sendSignal(PATH, SERVICE, 'ActionInvoked', 'us', [id, key]);
  }

  dismiss(id: number): void {
    this.bus.sendSignal(PATH, SERVICE, 'NotificationClosed', 'uu', [id, 2]);
  }
}

const request = {
  title: 'Title',
  body: 'a < b & <b>c</b>',
  actions: [
    { key: 'k-review', label: 'Review' },
    { key: 'k-deny', label: 'Deny' },
  ],
  defaultKey: 'k-review',
  urgency: 'critical',
  replaces: null,
} as const;

let folder: string;
let broker: DBusBroker;
let address: string;
let notifier: DbusNotifier;
let seen: string[];
let logged: string[];

const settled = (check: () => void) => vi.waitFor(check, { timeout: 3000, interval: 5 });

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bus-'));
  broker = createBroker();
  address = await new Promise<string>((resolve, reject) =>
    broker.listen({ socket: path.join(folder, 'bus') }, (error, where) => (error ? reject(error) : resolve(where))),
  );
  seen = [];
  logged = [];
  notifier = new DbusNotifier(address, keepingLog(logged));
  notifier.listen({
    action: (id, key) => seen.push(`${id} ${key}`),
    closed: (id) => seen.push(`${id} closed`),
    restarted: () => seen.push('restarted'),
  });
});
afterEach(async () => {
  await notifier.dispose();
  await new Promise<void>((resolve) => {
    broker.close(resolve);
  });
  await rm(folder, { recursive: true, force: true });
});

/** A message of the service that comes after everything sent before. */
async function afterAllSignals(service: FakeService): Promise<void> {
  const id = await notifier.show({ ...request, replaces: null });
  service.press(id ?? 0, 'fence');
  await settled(() => expect(seen).toContain(`${id} fence`));
  seen = seen.filter((line) => line !== `${id} fence`);
}

describe('notifications over D-Bus', () => {
  it('are shown with escaped text and answered by key', async () => {
    const service = await FakeService.start(address);
    expect(await notifier.capabilities()).toMatchObject({ available: true, actions: true });
    expect(await notifier.show(request)).toBe(7);
    expect(service.notified).toEqual([
      {
        id: 7,
        replaces: 0,
        title: 'Title',
        body: 'a &lt; b &amp; &lt;b&gt;c&lt;/b&gt;',
        actions: ['default', 'Review', 'k-review', 'Review', 'k-deny', 'Deny'],
      },
    ]);
    service.press(7, 'k-deny');
    await settled(() => expect(seen).toEqual(['7 k-deny']));
  });

  it('say what a click on the notification itself means', async () => {
    const service = await FakeService.start(address);
    await notifier.show(request);
    service.press(7, 'default');
    await settled(() => expect(seen).toEqual(['7 k-review']));
  });

  it('draw one Review button where the click is drawn as a button', async () => {
    const service = await FakeService.start(address, { product: 'Xfce Notify Daemon' });
    await notifier.show(request);
    expect(service.notified[0]?.actions).toEqual(['default', 'Review', 'k-deny', 'Deny']);
  });

  it('hear an answer that follows the very moment they are shown', async () => {
    await FakeService.start(address, { eager: true });
    await notifier.show(request);
    await settled(() => expect(seen).toEqual(['7 k-review']));
  });

  it('come without buttons and markup where the service has neither', async () => {
    const service = await FakeService.start(address, { capabilities: ['body'] });
    expect(await notifier.capabilities()).toMatchObject({ available: true, actions: false });
    await notifier.show(request);
    expect(service.notified[0]).toMatchObject({ body: request.body, actions: [] });
  });

  it('replace one another and are closed by us', async () => {
    const service = await FakeService.start(address);
    await notifier.show(request);
    expect(await notifier.show({ ...request, replaces: 7 })).toBe(7);
    await notifier.close(7);
    expect(service.notified[1]?.replaces).toBe(7);
    expect(service.closed).toEqual([7]);
  });

  it('that are dismissed are closed, and that is no answer', async () => {
    const service = await FakeService.start(address);
    await notifier.show(request);
    service.dismiss(7);
    await settled(() => expect(seen).toEqual(['7 closed']));
    service.press(7, 'k-deny');
    await afterAllSignals(service);
    expect(seen).toEqual(['7 closed']);
  });
});

describe('answers that do not count', () => {
  it('L205 are those of a connection that does not own the service', async () => {
    const service = await FakeService.start(address);
    await notifier.show(request);
    const stranger = sessionBus({ busAddress: address });
    await stranger.getId();
    stranger.sendSignal(PATH, SERVICE, 'ActionInvoked', 'us', [7, 'k-review']);
    await settled(() => expect(logged.join('\n')).toContain('a stranger was ignored'));
    await afterAllSignals(service);
    expect(seen).toEqual([]);
    await stranger.close();
  });

  it('L205 are those of a connection that pretends to be the bus and says that it owns the service', async () => {
    const service = await FakeService.start(address);
    await notifier.show(request);
    const stranger = sessionBus({ busAddress: address });
    await stranger.getId();
    const names = await stranger.listNames();
    const lie = { type: 4, path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus', signature: 'sss' };
    for (const destination of names.filter((name) => name.startsWith(':') && name !== stranger.name)) {
      const body = [SERVICE, '', stranger.name];
      stranger.connection.message({ ...lie, serial: 900, member: 'NameOwnerChanged', destination, body });
    }
    stranger.sendSignal(PATH, SERVICE, 'ActionInvoked', 'us', [7, 'k-deny']);
    await settled(() => expect(logged.join('\n')).toContain('a stranger was ignored'));
    await afterAllSignals(service);
    expect(seen).toEqual([]);
    await stranger.close();
  });

  it('are those about notifications of other programs', async () => {
    const service = await FakeService.start(address);
    await notifier.show(request);
    service.press(99, 'k-deny');
    await afterAllSignals(service);
    expect(seen).toEqual([]);
  });

  it('are those of a service that was replaced', async () => {
    const old = await FakeService.start(address);
    await notifier.show(request);
    await old.bus.releaseName(SERVICE);
    const next = await FakeService.start(address);
    await settled(() => expect(seen).toEqual(['restarted']));
    old.press(7, 'k-deny');
    next.press(7, 'k-deny');
    await afterAllSignals(next);
    expect(seen).toEqual(['restarted']);
  });
});

describe('without a service', () => {
  it('nothing is available, and showing answers null', async () => {
    expect(await notifier.capabilities()).toMatchObject({ available: false });
    expect(await notifier.show(request)).toBeNull();
    await expect(notifier.close(1)).resolves.toBeUndefined();
  });

  it('that comes later, everything works from then on', async () => {
    await notifier.capabilities();
    const service = await FakeService.start(address);
    await settled(() => expect(seen).toEqual(['restarted']));
    expect(await notifier.show(request)).toBe(7);
    expect(service.notified).toHaveLength(1);
  });

  it('and without a bus nothing is available either', async () => {
    const alone = new DbusNotifier(null, keepingLog(logged));
    expect(await alone.capabilities()).toEqual({ available: false, reason: 'there is no session bus' });
    const nowhere = new DbusNotifier(`unix:path=${folder}/none`, keepingLog(logged));
    expect(await nowhere.capabilities()).toMatchObject({ available: false });
    expect(await nowhere.show(request)).toBeNull();
    await nowhere.dispose();
  });
});

it('finds the session bus in the environment, else at its usual place, else not at all', () => {
  expect(sessionBusAddress({ DBUS_SESSION_BUS_ADDRESS: 'unix:path=/x' })).toBe('unix:path=/x');
  expect(sessionBusAddress({ XDG_RUNTIME_DIR: folder })).toBe(`unix:path=${folder}/bus`);
  expect(sessionBusAddress({})).toBeNull();
  // Chromium's word for none, and an empty value.
  expect(sessionBusAddress({ DBUS_SESSION_BUS_ADDRESS: 'disabled:' })).toBeNull();
  expect(sessionBusAddress({ DBUS_SESSION_BUS_ADDRESS: '' })).toBeNull();
});

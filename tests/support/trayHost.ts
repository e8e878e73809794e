import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { defineInterface, type MessageBus, sessionBus, toPlain } from 'dbus-native';
import { z } from 'zod';

const WATCHER = 'org.kde.StatusNotifierWatcher';
const ITEM = 'org.kde.StatusNotifierItem';
const ITEM_PATH = '/StatusNotifierItem';
const MENU = 'com.canonical.dbusmenu';
const PROPERTIES = 'org.freedesktop.DBus.Properties';

export type MenuEntry = Readonly<{ id: number; label: string; enabled: boolean; entries: readonly MenuEntry[] }>;
export type TrayLook = Readonly<{ tooltip: string; icon: string }>;

const lookSchema = z.looseObject({
  ToolTip: z.tuple([z.string(), z.array(z.unknown()), z.string(), z.string()]),
  // Pixels, or (on a GNOME desktop) a file that Chromium made.
  IconPixmap: z.array(z.unknown()).default([]),
  IconName: z.string().default(''),
  IconThemePath: z.string().default(''),
  Menu: z.string(),
});
async function fileIn(folder: string, name: string): Promise<string | undefined> {
  const found = (await readdir(folder, { recursive: true })).find((file) => path.basename(file) === name);
  return found === undefined ? undefined : path.join(folder, found);
}

const nodeSchema = z.tuple([
  z.number(),
  z.looseObject({ label: z.string().default(''), enabled: z.boolean().default(true) }),
  z.array(z.unknown()),
]);

function entriesOf(node: unknown): readonly MenuEntry[] {
  const [, , children] = nodeSchema.parse(node);
  return children.map((child) => {
    const [id, { label, enabled }] = nodeSchema.parse(child);
    return { id, label, enabled, entries: entriesOf(child) };
  });
}

/**
 * The part of a desktop's panel that shows tray icons: it takes the one item that registers, and presses its menu.
 * To be there before the app starts, or the app takes the desktop for one without a tray.
 */
export class TrayHost {
  readonly #bus: MessageBus;
  /** Bus name of the app that put its icon into the tray. */
  readonly #item: Promise<string>;
  #registered: (item: string) => void = () => undefined;

  private constructor(bus: MessageBus) {
    this.#bus = bus;
    this.#item = new Promise((resolve) => {
      this.#registered = resolve;
    });
  }

  static async open(busAddress: string): Promise<TrayHost> {
    const bus = sessionBus({ busAddress });
    const host = new TrayHost(bus);
    const watcher = defineInterface({
      name: WATCHER,
      methods: {
        RegisterStatusNotifierItem: {
          in: { service: 's' },
          handler: ({ service }, { sender }) => {
            host.#registered(String(service).startsWith('/') ? String(sender) : String(service));
          },
        },
        RegisterStatusNotifierHost: { in: { service: 's' }, handler: () => undefined },
      },
      properties: {
        IsStatusNotifierHostRegistered: { type: 'b', access: 'read', get: () => true },
        ProtocolVersion: { type: 'i', access: 'read', get: () => 0 },
      },
    });
    bus.exportInterface(watcher.impl, '/StatusNotifierWatcher', watcher.descriptor);
    await bus.requestName(WATCHER, 4);
    return host;
  }

  /** What the icon says and shows; `icon` is another text for another picture. */
  async look(): Promise<TrayLook> {
    const { ToolTip, IconPixmap, IconName, IconThemePath } = await this.#properties();
    const file = IconThemePath === '' ? undefined : await fileIn(IconThemePath, `${IconName}.png`);
    const icon = file === undefined ? JSON.stringify(IconPixmap) : (await readFile(file)).toString('base64');
    return { tooltip: ToolTip[2], icon };
  }

  async menu(): Promise<readonly MenuEntry[]> {
    const answer = z
      .array(z.unknown())
      .parse(await this.#call((await this.#properties()).Menu, MENU, 'GetLayout', 'iias', [0, -1, []]));
    return entriesOf(toPlain(answer[1]));
  }

  /** Chooses an entry, as a click would. */
  async choose(label: string): Promise<void> {
    // Ids are others after every change of the menu.
    const entry = (await this.menu()).flatMap((one) => [one, ...one.entries]).find((one) => one.label === label);
    if (entry === undefined) throw new Error(`the tray menu has no "${label}"`);
    const { Menu } = await this.#properties();
    await this.#call(Menu, MENU, 'Event', 'isvu', [entry.id, 'clicked', ['s', ''], 0]);
  }

  /** A click on the icon itself. */
  async activate(): Promise<void> {
    await this.#call(ITEM_PATH, ITEM, 'Activate', 'ii', [0, 0]);
  }

  close(): Promise<void> {
    return this.#bus.close();
  }

  async #properties(): Promise<z.infer<typeof lookSchema>> {
    return lookSchema.parse(toPlain(await this.#call(ITEM_PATH, PROPERTIES, 'GetAll', 's', [ITEM])));
  }

  /** A single value as it is, several as an array. */
  async #call(object: string, iface: string, member: string, signature: string, body: unknown[]): Promise<unknown> {
    const destination = await this.#item;
    return new Promise((resolve, reject) => {
      const call = { destination, path: object, interface: iface, member, signature, body };
      this.#bus.invoke(call, (error: unknown, ...values: unknown[]) => {
        if (error === null || error === undefined) resolve(values.length > 1 ? values : values[0]);
        else reject(error instanceof Error ? error : new Error(`${member} failed: ${JSON.stringify(error)}`));
      });
    });
  }
}

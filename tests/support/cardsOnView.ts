import type { Card } from '../../contract/card.ts';
import type { DecisionState } from '../../contract/ipc.ts';
import type { WindowHouse } from './windowHouse.ts';

/** The decision view, given states as main would give them, whatever is in them: real requests cannot be as bad. */
export type ViewUnderTest = Readonly<{
  /** Puts a card into the view as a turn of its own; answers its turn. Main knows nothing of it: no button decides. */
  show: (card: Card, change?: Readonly<{ armsInMs?: number | null; locked?: boolean }>) => Promise<number>;
  send: (state: DecisionState) => Promise<void>;
  /** The last turn that the view said it has on the screen. */
  drawn: () => Promise<unknown>;
}>;

/**
 * Takes the decision view from main, which would put its own state back with the next word of the view. A real card has to
 * be open, so that the view stands over the window.
 */
export async function takeView(house: WindowHouse): Promise<ViewUnderTest> {
  let turn = 1_000_000;
  await house.app.electron.evaluate(({ ipcMain }) => {
    ipcMain.removeHandler('decision:drawn');
    ipcMain.handle('decision:drawn', (_event, input: unknown) => {
      Reflect.set(globalThis, 'lastDrawn', input);
      return { ok: true, value: undefined };
    });
  });
  const send = (state: DecisionState): Promise<void> =>
    house.app.electron.evaluate(({ webContents }, sent) => {
      const isView = (contents: Electron.WebContents) => contents.getURL().startsWith('oauth3://decision/');
      webContents.getAllWebContents().find(isView)?.send('decision:state', sent);
    }, state);
  return {
    send,
    show: async (card, { armsInMs = null, locked = false } = {}) => {
      turn += 1;
      await send({ kind: 'card', card, turn, armsInMs, locked });
      return turn;
    },
    drawn: () => house.app.electron.evaluate(() => Reflect.get(Reflect.get(globalThis, 'lastDrawn') ?? {}, 'turn')),
  };
}

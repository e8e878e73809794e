import ElectronStore from 'electron-store';
import { boundsSchema, type WindowBoundsStore, zoomSchema } from './windowBounds.ts';

/** Keeps the window's bounds in `window.json` of the data folder. */
export function openWindowBounds(dataDir: string): WindowBoundsStore {
  const store = new ElectronStore({ name: 'window', cwd: dataDir, clearInvalidConfig: true });
  return {
    load: () => {
      const parsed = boundsSchema.safeParse(store.get('bounds'));
      if (!parsed.success) return null;
      const { x, y, width, height } = parsed.data;
      return { width, height, ...(x === undefined ? {} : { x }), ...(y === undefined ? {} : { y }) };
    },
    save: (bounds) => store.set('bounds', bounds),
    loadZoom: () => zoomSchema.catch(1).parse(store.get('zoom')),
    saveZoom: (factor) => store.set('zoom', factor),
    closingWasTold: () => {
      const told = store.get('closingTold') === true;
      store.set('closingTold', true);
      return told;
    },
  };
}

import ElectronStore from 'electron-store';
import { z } from 'zod';

const boundsSchema = z.object({
  x: z.number().int().optional(),
  y: z.number().int().optional(),
  width: z.number().int().min(600).max(20_000),
  height: z.number().int().min(480).max(20_000),
});
export type WindowBounds = Readonly<{ x?: number; y?: number; width: number; height: number }>;

/** Where the window was: the only thing kept outside the database, since it is no truth of the product. */
export interface WindowBoundsStore {
  load(): WindowBounds | null;
  save(bounds: WindowBounds): void;
}

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
  };
}

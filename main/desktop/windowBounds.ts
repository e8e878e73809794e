import { z } from 'zod';

export const boundsSchema = z.object({
  x: z.number().int().optional(),
  y: z.number().int().optional(),
  width: z.number().int().min(600).max(20_000),
  height: z.number().int().min(480).max(20_000),
});
export type WindowBounds = Readonly<{ x?: number; y?: number; width: number; height: number }>;

export const zoomSchema = z.number().min(0.8).max(2);

/** Where and how large the window was: the only thing kept outside the database, since it is no truth of the product. */
export interface WindowBoundsStore {
  load(): WindowBounds | null;
  save(bounds: WindowBounds): void;
  loadZoom(): number;
  saveZoom(factor: number): void;
  /** Whether the owner was told that closing the window ends nothing; from now on, yes. */
  closingWasTold(): boolean;
}

type Area = Readonly<{ x: number; y: number; width: number; height: number }>;

/** Of a window's upper edge, this much must be on a screen for a person to get hold of it, in pixels. */
const GRIP = 100;

/** The bounds, without their place when no present screen shows enough of the window's upper edge there. */
export function reachable(bounds: WindowBounds, areas: readonly Area[]): WindowBounds {
  const { x, y, width, height } = bounds;
  if (x === undefined || y === undefined) return { width, height };
  const held = areas.some((area) => {
    const across = Math.min(x + width, area.x + area.width) - Math.max(x, area.x);
    return across >= GRIP && y >= area.y && y <= area.y + area.height - GRIP;
  });
  return held ? bounds : { width, height };
}

import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import { zoomFactors } from '../../main/desktop/zoom.ts';
import type { WindowHouse } from './windowHouse.ts';

export type Look = Readonly<{
  scheme: 'light' | 'dark';
  width: number;
  height: number;
  zoom: (typeof zoomFactors)[number];
  /** `more`: the system asks for it; `forced`: the system paints everything in a few colours of its own. */
  contrast?: 'more' | 'forced';
}>;

/** How a person sees the app first. */
export const usualLook: Look = { scheme: 'light', width: 1080, height: 760, zoom: 1 };

/** Colours, size and zoom (by its keys) of the window and of both its views. */
export async function setLook({ app, desk, window, decision }: WindowHouse, look: Look): Promise<void> {
  const { scheme, width, height, zoom, contrast } = look;
  for (const page of [window, decision]) {
    await page.emulateMedia({
      colorScheme: scheme,
      contrast: contrast === 'more' ? 'more' : 'no-preference',
      forcedColors: contrast === 'forced' ? 'active' : 'none',
    });
  }
  await app.electron.evaluate(
    ({ BrowserWindow }, size) => {
      BrowserWindow.getAllWindows()[0]?.setContentBounds({ x: 40, y: 30, ...size });
    },
    { width, height },
  );
  const steps = zoomFactors.indexOf(zoom) - zoomFactors.indexOf(1);
  // Of the keyboard itself: an app hears of the keys that Playwright presses only inside its pages.
  await desk.run('xdotool', ['key', 'ctrl+0', ...Array<string>(steps).fill('ctrl+equal')]);
  const drawn = () => window.evaluate('window.devicePixelRatio');
  await expect.poll(drawn).toBeCloseTo(zoom, 3);
}

/**
 * What stands on the screen where the window is, as a PNG: both views as the window system put them together, which no
 * picture of one of them shows. `colours` keeps it small.
 */
export async function windowPicture({ app, desk }: Pick<WindowHouse, 'app' | 'desk'>, colours = 256): Promise<Buffer> {
  const bounds = await app.electron.evaluate(({ BrowserWindow }) =>
    BrowserWindow.getAllWindows()[0]?.getContentBounds(),
  );
  if (bounds === undefined) throw new Error('there is no window');
  const { x, y, width, height } = bounds;
  const file = path.join(desk.home, 'picture.png');
  const crop = ['-window', 'root', '-crop', `${width}x${height}+${x}+${y}`, '+repage'];
  const small = ['-dither', 'None', '-colors', String(colours), '-strip', '-define', 'png:compression-level=9'];
  const taken = await desk.run('import', [...crop, ...small, `PNG8:${file}`]);
  if (taken.code !== 0) throw new Error(`no picture: ${taken.stderr.trim()}`);
  const picture = await readFile(file);
  await rm(file);
  return picture;
}

/** Two frames of every view: what was asked of them is on the screen. */
export async function settled({ window, decision }: Pick<WindowHouse, 'window' | 'decision'>): Promise<void> {
  const frames =
    'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 60))))';
  await window.evaluate(frames);
  // A view that is not in the window draws nothing, so it has no frames to wait for.
  await Promise.race([decision.evaluate(frames), window.evaluate('new Promise((done) => setTimeout(done, 300))')]);
}

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { takeTour } from '../support/tour.ts';
import { openWindowHouse, type WindowHouse } from '../support/windowHouse.ts';
import { type Look, setLook, settled, usualLook, windowPicture } from '../support/windowPicture.ts';

const folder = process.env.OAUTH3_SCREENS ?? '';
/** Set: every look, for whoever checks; else the one that stands in the documentation. */
const everyLook = process.env.OAUTH3_EVERY_LOOK === '1';

const looks: Readonly<Record<string, Look>> = everyLook
  ? {
      '': usualLook,
      '-dark': { ...usualLook, scheme: 'dark' },
      '-contrast': { ...usualLook, contrast: 'more' },
      '-forced': { ...usualLook, contrast: 'forced' },
      '-200': { ...usualLook, zoom: 2 },
      '-600': { ...usualLook, width: 600 },
      '-600-dark': { ...usualLook, width: 600, scheme: 'dark' },
    }
  : { '': usualLook };

let house: WindowHouse;
beforeAll(async () => {
  house = await openWindowHouse();
});
afterAll(() => house.close());

it('takes a picture of every view and state', async () => {
  await mkdir(folder, { recursive: true });
  let pictures = 0;
  await takeTour(house, async (name) => {
    for (const [suffix, look] of Object.entries(looks)) {
      await setLook(house, look);
      await settled(house);
      await writeFile(path.join(folder, `${name}${suffix}.png`), await windowPicture(house));
      pictures += 1;
    }
    await setLook(house, usualLook);
  });
  expect(pictures).toBeGreaterThan(0);
});

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { stops, type Tour } from '../support/tour.ts';
import { openWindowHouse, type WindowHouse } from '../support/windowHouse.ts';

const violationsSchema = z.array(
  z.looseObject({ id: z.string(), nodes: z.array(z.looseObject({ html: z.string(), failureSummary: z.string() })) }),
);

let house: WindowHouse;
let tour: Tour;
let axe: string;
beforeAll(async () => {
  axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  house = await openWindowHouse();
  tour = { house, agent: house.agentWith('') };
});
afterAll(() => house?.close());

/** WCAG 2.2 A and AA, and what axe-core's authors call good practice. */
async function violations(page: Page): Promise<readonly string[]> {
  // Evaluated by the debugger, which the content policy of the page does not bind.
  await page.evaluate(`typeof axe === 'undefined' && (() => { ${axe} })()`);
  const found = violationsSchema.parse(
    await page.evaluate('axe.run(document, { resultTypes: ["violations"] }).then((results) => results.violations)'),
  );
  return found.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
}

/** A decision view without a card is not in the window: it is blank, or not loaded yet. */
const isOnScreen = async (page: Page): Promise<boolean> =>
  (await page.locator('main:not([aria-label="No request is open"])').count()) > 0;

describe('a screen reader and a person who sees little find nothing wrong', () => {
  it.each(stops)('at $name', async ({ go }) => {
    await go(tour);
    const found: string[] = [];
    for (const [name, page] of [
      ['window', house.window],
      ['decision', house.decision],
    ] as const) {
      if (name === 'decision' && !(await isOnScreen(page))) continue;
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        found.push(...(await violations(page)).map((text) => `${name}, ${colorScheme}: ${text}`));
      }
    }
    expect(found).toEqual([]);
  });
});

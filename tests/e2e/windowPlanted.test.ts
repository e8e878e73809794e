import { randomBytes } from 'node:crypto';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approved, type Body, plantedChanges } from '../support/plantedChanges.ts';
import { type Agent, API_HOST, bridgeCall, openWindowHouse, type WindowHouse } from '../support/windowHouse.ts';

// Real requests in the real window: what was planted into an approved skill is read without a scroll or a click.

let house: WindowHouse;
let agent: Agent;

beforeAll(async () => {
  house = await openWindowHouse();
  agent = await house.newAgent();
  for (const name of ['OPENAI_API_KEY', 'GITHUB_TOKEN']) {
    const value = randomBytes(20).toString('hex');
    await bridgeCall(house.window, 'addSecret', { name, value, hosts: [API_HOST] });
  }
});
afterAll(() => house?.close());

async function isInSight(element: Locator): Promise<boolean> {
  const outer = await house.decision.getByRole('region', { name: 'What would run' }).boundingBox();
  const inner = await element.boundingBox();
  if (outer === null || inner === null) return false;
  return inner.y >= outer.y && inner.y + inner.height <= outer.y + outer.height + 1;
}

/** A name of its own for each request: the list of recent ones holds the others. */
const wish = (skill: string, change: Partial<Body>) => ({ skill_id: skill, ...approved, ...change });

async function press(name: string): Promise<void> {
  await house.decision.getByRole('button', { name }).and(house.decision.locator(':enabled')).click();
}

// Another runtime needs an engine with its image; all changes are drawn by the same list.
const withoutEngine = plantedChanges.filter(([what]) => what !== 'another runtime');

describe('the first screen of the window names what was planted', () => {
  it.each(
    withoutEngine.map(([what, change, expected], index) => ({ what, change, expected, skill: `skill-${index}` })),
  )('$what', async ({ change, expected, skill }) => {
    const first = await house.askAndOpen(agent, wish(skill, {}));
    await press('Run Once');
    await agent.request(first);
    const second = await house.askAndOpen(agent, wish(skill, change));
    const news = house.decision.getByRole('region', { name: 'What is new' }).getByRole('listitem');
    for (const sentence of expected) {
      const line = news.filter({ hasText: sentence.replace(/^\w+: /, '') });
      await line.waitFor();
      expect(await isInSight(line), sentence).toBe(true);
    }
    await agent.cancel(second);
  });
});

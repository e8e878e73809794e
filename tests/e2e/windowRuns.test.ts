import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Agent, API_HOST, bridgeCall, openWindowHouse, type WindowHouse } from '../support/windowHouse.ts';

let house: WindowHouse;
let agent: Agent;

beforeAll(async () => {
  house = await openWindowHouse();
  agent = await house.newAgent();
});
afterAll(() => house?.close());

const part = (name: string): Locator => house.window.getByRole('region', { name, exact: true });
const openPart = (name: string): Promise<void> => house.window.getByRole('tab', { name }).click();
const runs = (): Locator => house.window.getByRole('list', { name: 'Runs' });

/** Asked for, and allowed by the owner once; answers the id of the request. */
async function start(skill: string, code: string, metadata: object = {}): Promise<string> {
  await house.window.getByRole('navigation', { name: 'Pages' }).getByRole('button', { name: 'Requests' }).click();
  const id = await house.askAndOpen(agent, { skill_id: skill, code, metadata });
  await house.decision.getByRole('button', { name: 'Run Once' }).and(house.decision.locator(':enabled')).click();
  return id;
}

async function open(skill: string): Promise<void> {
  await house.window.getByRole('navigation', { name: 'Pages' }).getByRole('button', { name: 'Runs' }).click();
  await runs().getByRole('button', { name: skill }).click();
  await house.window.getByRole('heading', { level: 1, name: skill }).waitFor();
}

async function ended(skill: string, code: string, metadata: object = {}): Promise<string> {
  const id = await start(skill, code, metadata);
  await agent.request(id);
  await open(skill);
  return id;
}

/** The number of the last line in sight, and whether the view stands at its end. */
const place = (): Promise<Readonly<{ line: number; left: number }>> =>
  part('Output').evaluate((box) => ({
    line: Math.max(0, ...[...box.querySelectorAll('li')].map((row) => Number(row.dataset.line ?? 0))),
    left: box.scrollHeight - box.scrollTop - box.clientHeight,
  }));

const ticking = (skill: string): string =>
  `for (let tick = 1; tick < 2000; tick += 1) { console.log('${skill}', tick); await new Promise((go) => setTimeout(go, 20)); }`;

describe('a run that goes on', () => {
  it('shows its output as it comes, leaves the owner where they read, and is stopped after a question', async () => {
    const id = await start('ticking', ticking('tick'), { timeout: 60 });
    await open('ticking');
    await expect.poll(async () => (await place()).line, { timeout: 20_000 }).toBeGreaterThan(60);
    const { line, left } = await place();
    expect(left).toBeLessThan(80);
    await expect.poll(async () => (await place()).line, { timeout: 10_000 }).toBeGreaterThan(line + 20);

    await part('Output').evaluate((box) => box.scrollTo({ top: 0 }));
    const follow = house.window.getByRole('button', { name: 'Follow the end' });
    await follow.waitFor();
    const read = await part('Output').evaluate((box) => box.scrollTop);
    await expect.poll(async () => (await place()).left, { timeout: 10_000 }).toBeGreaterThan(800);
    expect(await part('Output').evaluate((box) => box.scrollTop)).toBe(read);
    await follow.click();
    await expect.poll(async () => (await place()).left).toBeLessThan(80);

    await house.window.getByRole('button', { name: 'Stop', exact: true }).click();
    const question = house.window.getByRole('alertdialog', { name: 'Stop this run?' });
    await question.getByRole('button', { name: 'Cancel' }).click();
    expect(await agent.request(id, 0)).toMatchObject({ status: 'running' });
    await house.window.getByRole('button', { name: 'Stop', exact: true }).click();
    await question.getByRole('button', { name: 'Stop it' }).click();
    expect(await agent.request(id)).toMatchObject({ status: 'failed', error: { code: 'killed' } });
    await house.window
      .getByText(/^failed/)
      .first()
      .waitFor();
    await house.window.getByRole('button', { name: 'Stop', exact: true }).waitFor({ state: 'detached' });
  });
});

describe('what a run leaves', () => {
  it('names each request, and why one was refused', async () => {
    const code = `for (const host of ['${API_HOST}', 'evil.example']) console.log((await fetch('https://' + host + '/v1')).status);`;
    await ended('two-hosts', code, { network: [API_HOST] });
    await openPart('Network');
    const rows = house.window.getByRole('table', { name: 'Requests of this run' }).getByRole('row');
    await rows.nth(2).waitFor();
    expect(await rows.nth(1).textContent()).toContain(`GET ${API_HOST}/v1200`);
    expect(await rows.nth(2).textContent()).toContain('evil.example/v1refused: host not allowed');
  });

  it('is the very code and manifest that the owner decided about, also after a restart', async () => {
    const code = "console.log('kept');\n// the last line";
    const id = await ended('kept', code);
    const digestSchema = z.looseObject({ value: z.looseObject({ manifestDigest: z.string(), codeHash: z.string() }) });
    const before = digestSchema.parse(await bridgeCall(house.window, 'run', { id })).value;
    await house.restart();
    await open('kept');
    await part('Output').getByText('kept').waitFor();
    await openPart('Code');
    await house.window.getByText(before.codeHash).waitFor();
    expect(await part('Code that was decided about').getByRole('listitem').allTextContents()).toEqual(code.split('\n'));
    await openPart('Manifest');
    await house.window.getByText('Exactly this was decided about').getByText(before.manifestDigest).waitFor();
    await part('Manifest').getByText('"skillId": "kept"').waitFor();
    await openPart('Timeline');
    await house.window.getByText('once, in the app').waitFor();
  });

  it('is only text, whatever it is', async () => {
    const code = String.raw`console.log('<img src=x onerror="document.title=1">'); console.log('\u001b[31mred\u001b[0m \u202etxet'); console.error('<b>no</b>');`;
    await ended('markup', code);
    await part('Output').getByText('<img src=x onerror="document.title=1">').waitFor();
    expect(await house.window.locator('main img, main b').count()).toBe(0);
    const shown = (await part('Output').textContent()) ?? '';
    expect([...'\u001b\u202e'].filter((character) => shown.includes(character))).toEqual([]);
    expect(shown).toContain('red');
    await part('Errors and notes (stderr)').getByText('<b>no</b>').waitFor();
  });

  it('may be very long, in one line or in many, and says what was not kept', async () => {
    const code =
      "for (let line = 1; line <= 200_000; line += 1) console.log('line', line); console.error('x'.repeat(900_000));";
    await ended('long', code);
    await part('Output').getByText('line 1', { exact: true }).waitFor();
    expect(await part('Output').getByRole('listitem').count()).toBeLessThan(200);
    await part('Output').evaluate((box) => box.scrollTo({ top: box.scrollHeight }));
    await expect.poll(async () => (await place()).line, { timeout: 10_000 }).toBeGreaterThan(30_000);
    await house.window.getByRole('note').getByText('It wrote more than is kept').waitFor();
  });
});

describe('the list of runs', () => {
  it('holds those that the owner wants to see, and says when there are none', async () => {
    await house.window.getByRole('navigation', { name: 'Pages' }).getByRole('button', { name: 'Runs' }).click();
    await house.window.getByText('Failed', { exact: true }).click();
    await runs().getByRole('button', { name: 'ticking' }).waitFor();
    expect(await runs().getByRole('button', { name: 'kept' }).count()).toBe(0);
    await house.window.getByText('Under way', { exact: true }).click();
    await house.window.getByText('None of these.').waitFor();
  });
});

import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import Database from 'better-sqlite3';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Agent, bridgeCall, openWindowHouse, type WindowHouse } from '../support/windowHouse.ts';

let house: WindowHouse;
let agent: Agent;
let denied: string;

beforeAll(async () => {
  house = await openWindowHouse();
  agent = await house.newAgent();
  for (const skill of ['weather-report', 'mail-digest']) {
    const id = await house.askAndOpen(agent, { skill_id: skill, code: `console.log('${skill}')` });
    const verdict = skill === 'mail-digest' ? 'Deny' : 'Run Once';
    await house.decision.getByRole('button', { name: verdict }).and(house.decision.locator(':enabled')).click();
    if (verdict === 'Deny') {
      denied = id;
      await house.decision.getByRole('button', { name: 'Deny', exact: true }).last().click();
    }
    await agent.request(id);
  }
  await openAudit();
});
afterAll(() => house?.close());

async function openAudit(): Promise<void> {
  await house.window.getByRole('navigation', { name: 'Pages' }).getByRole('button', { name: 'Audit' }).click();
  await rows().first().waitFor();
}
const list = (): Locator => house.window.getByRole('list', { name: 'Events' });
const rows = (): Locator => list().getByRole('listitem');
const region = (): Locator => house.window.getByRole('region', { name: 'Audit log' });
const newestSeq = async (): Promise<number> => {
  const page = z.looseObject({ value: z.tuple([z.looseObject({ seq: z.number() })]) });
  return page.parse(await bridgeCall(house.window, 'audit', { limit: 1 })).value[0].seq;
};
/** Two events each. */
async function makeEvents(pairs: number): Promise<void> {
  await house.window.evaluate(
    `(async () => { for (let n = 0; n < ${pairs}; n += 1) { await window.oauth3.calls.pause(null); await window.oauth3.calls.resume(null); } })()`,
  );
}
/** Answers every save dialog with this file, or as an owner who cancels. */
const answerSaveDialog = (filePath: string | null): Promise<void> =>
  house.app.electron.evaluate(({ dialog }, file) => {
    dialog.showSaveDialog = async () => ({ canceled: file === null, filePath: file ?? '' });
  }, filePath);

describe('looking through the audit log', () => {
  it('filters by names that the log holds, which add up, and says when nothing fits', async () => {
    const skill = house.window.getByLabel('Skill');
    await skill.fill('weather-report');
    await expect.poll(() => rows().filter({ hasText: 'mail-digest' }).count()).toBe(0);
    await rows().filter({ hasText: 'weather-report' }).first().waitFor();
    const all = await rows().count();
    await house.window.getByLabel('Kind of event').fill('request.approved');
    await expect.poll(() => rows().count()).toBe(1);
    expect(all).toBeGreaterThan(1);
    await house.window.getByLabel('Search in all words').fill('nothing says this');
    await house.window.getByText('Nothing in the log fits all of this.').waitFor();
    await house.window.getByRole('button', { name: 'Clear all' }).click();
    await rows().filter({ hasText: 'mail-digest' }).first().waitFor();
    for (const label of ['Skill', 'Kind of event', 'Search in all words']) {
      expect(await house.window.getByLabel(label).inputValue()).toBe('');
    }
  });

  it('offers the names as one types, and a name that the log does not hold filters nothing', async () => {
    const skill = house.window.getByLabel('Skill');
    await skill.fill('mail');
    const names = (): Promise<readonly string[]> =>
      house.window.evaluate("[...document.querySelectorAll('datalist option')].map((one) => one.value)");
    await expect.poll(names).toContain('mail-digest');
    await rows().filter({ hasText: 'weather-report' }).first().waitFor();
    await skill.blur();
    expect(await skill.inputValue()).toBe('');
  });

  it('finds words, and keeps to the days that are asked for', async () => {
    const search = house.window.getByLabel('Search in all words');
    await search.fill('mail-digest');
    await expect.poll(() => rows().filter({ hasText: 'weather-report' }).count()).toBe(0);
    await rows().filter({ hasText: 'mail-digest' }).first().waitFor();
    await house.window.getByLabel('Until').fill('2020-01-01');
    await house.window.getByText('Nothing in the log fits all of this.').waitFor();
    await house.window.getByRole('button', { name: 'Clear all' }).click();
    await rows().nth(1).waitFor();
  });

  it('opens an event with its details and hash, and goes on to its request', async () => {
    await house.window.getByLabel('Kind of event').fill('request.denied');
    await expect.poll(() => rows().count()).toBe(1);
    await rows().getByRole('button').first().click();
    const seq = Number((await rows().getByText('Event ').textContent())?.match(/Event (\d+)/)?.[1]);
    const detail = z.looseObject({ value: z.looseObject({ hash: z.string() }) });
    const { hash } = detail.parse(await bridgeCall(house.window, 'auditEvent', { seq })).value;
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    await rows().getByText(hash).waitFor();
    await house.window.getByRole('button', { name: 'Show the request' }).click();
    await house.window.getByRole('heading', { level: 1, name: 'mail-digest' }).waitFor();
    await house.window.getByRole('tab', { name: 'Timeline' }).click();
    await house.window.getByRole('button', { name: 'What the audit says of it' }).click();
    await rows().first().waitFor();
    const page = z.looseObject({ value: z.array(z.unknown()) });
    const own = page.parse(await bridgeCall(house.window, 'audit', { request: denied, limit: 100 })).value;
    await expect.poll(() => rows().count()).toBe(own.length);
    await house.window.getByRole('button', { name: 'Clear all' }).click();
  });
});

describe('a long log', () => {
  it('draws only the rows in sight, and reads older ones as the owner scrolls to the very first', async () => {
    await makeEvents(320);
    await openAudit();
    expect(await rows().count()).toBeLessThan(60);
    await expect
      .poll(
        async () => {
          await region().evaluate((box) => box.scrollTo({ top: box.scrollHeight }));
          return Number(await rows().last().getAttribute('aria-posinset'));
        },
        { timeout: 20_000 },
      )
      .toBeGreaterThanOrEqual(640);
    await expect.poll(() => rows().last().getAttribute('aria-setsize')).toBe(String(await newestSeq()));
    expect(await rows().count()).toBeLessThan(60);
  });

  it('leaves the owner where they read while more happens, and says how much is new', async () => {
    const place = await region().evaluate((box) => box.scrollTop);
    await makeEvents(3);
    await house.window.getByRole('button', { name: '6 new' }).waitFor();
    expect(await region().evaluate((box) => box.scrollTop)).toBe(place);
    await house.window.getByRole('button', { name: '6 new' }).click();
    await expect.poll(() => rows().first().getAttribute('aria-posinset')).toBe('1');
    await makeEvents(1);
    await expect.poll(() => rows().first().textContent()).toContain('Resumed');
    expect(await house.window.getByRole('button', { name: / new$/ }).count()).toBe(0);
  });
});

describe('the last days', () => {
  it('are plotted, with the same numbers in words and in a table', async () => {
    await house.window.getByRole('tab', { name: 'Last 30 days' }).click();
    const plot = (title: string): Locator => house.window.getByRole('img', { name: `${title} a day` });
    expect(await plot('Decisions').getAttribute('aria-label')).toContain('1 approved, 0 ran by trust, 1 denied');
    expect(await plot('Runs').getAttribute('aria-label')).toContain('1 succeeded, 0 failed');
    await house.window.getByText('50 %').waitFor();
    await house.window.getByText('As a table').click();
    const table = house.window.getByRole('table', { name: 'Day by day' });
    expect(await table.getByRole('row').nth(1).textContent()).toMatch(/^\d{4}-\d\d-\d\d2101010$/);
    await house.window.getByRole('tab', { name: 'Events' }).click();
  });
});

describe('taking the log away', () => {
  const exportAs = (format: string): Promise<void> =>
    house.window.getByRole('button', { name: `Export ${format}` }).click();

  it('writes what is listed to the file that the owner names, for the owner alone', async () => {
    const file = path.join(house.desk.home, 'audit.jsonl');
    await answerSaveDialog(file);
    await house.window.getByLabel('Skill').fill('weather-report');
    await rows().filter({ hasText: 'pause' }).first().waitFor({ state: 'detached' });
    await rows().first().waitFor();
    const listed = await rows().count();
    await exportAs('JSONL');
    await house.window.getByText(`Saved ${listed} events in ${file}`).waitFor();
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    expect(lines).toHaveLength(listed);
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ skill_id: 'weather-report' });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await house.window.getByRole('button', { name: 'Clear all' }).click();
  });

  it('writes all of it for a spreadsheet, and nothing when the owner cancels', async () => {
    const file = path.join(house.desk.home, 'audit.csv');
    await answerSaveDialog(file);
    const newest = await newestSeq();
    await exportAs('CSV');
    await house.window.getByText(`Saved ${newest.toLocaleString('en')} events in ${file}`).waitFor();
    expect((await readFile(file, 'utf8')).split('\r\n')[0]).toContain('seq,at,actor,kind');
    await answerSaveDialog(null);
    await exportAs('CSV');
    await house.window.getByText(`events in`).waitFor({ state: 'detached' });
    await house.window.getByRole('button', { name: 'Export CSV' }).and(house.window.locator(':enabled')).waitFor();
  });

  it('says that a file cannot be written', async () => {
    await answerSaveDialog(path.join(house.desk.home, 'no', 'such', 'folder.csv'));
    await exportAs('CSV');
    await house.window.getByRole('alert').getByText('This file cannot be written.').waitFor();
  });
});

describe('the chain', () => {
  it('is whole, and broken at the very event that somebody changed', async () => {
    await house.window.getByRole('button', { name: 'Check the chain' }).click();
    await house.window.getByText(`The chain of ${(await newestSeq()).toLocaleString('en')} events is whole.`).waitFor();
    const file = new Database(path.join(house.app.dataDir, 'proxy.db'));
    try {
      file.exec('DROP TRIGGER audit_events_stay; DROP TRIGGER audit_events_keep_their_word');
      file.prepare('UPDATE audit_events SET payload = \'{"reason":"mine"}\' WHERE seq = 7').run();
    } finally {
      file.close();
    }
    await house.window.getByRole('button', { name: 'Check the chain' }).click();
    await house.window
      .getByRole('alert')
      .getByText('The chain is broken at event 7: The payload was changed.')
      .waitFor();
  });
});

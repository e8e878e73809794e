import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Card } from '../../contract/card.ts';
import type { Segment } from '../../contract/display.ts';
import { toCodeLines, toSegments } from '../../main/core/display.ts';
import { segmentText } from '../../main/core/segmentText.ts';
import { cardCode, makeCard, plain } from '../support/cards.ts';
import { takeView, type ViewUnderTest } from '../support/cardsOnView.ts';
import { openWindowHouse, type WindowHouse } from '../support/windowHouse.ts';

let house: WindowHouse;
let view: ViewUnderTest;

beforeAll(async () => {
  house = await openWindowHouse();
  const agent = await house.newAgent();
  await house.askAndOpen(agent, { skill_id: 'in-front', code: 'console.log(1)' });
  await button('Run Once').and(house.decision.locator(':enabled')).waitFor();
  view = await takeView(house);
});
afterAll(() => house?.close());

const button = (name: string | RegExp): Locator => house.decision.getByRole('button', { name });
const part = (name: string): Locator => house.decision.getByRole('region', { name, exact: true });
const listing = (): Locator => part('Code that would run');
const rows = (): Locator => listing().getByRole('listitem');
const scroller = (): Locator => part('What would run');
const setSize = (width: number, height: number): Promise<void> =>
  house.app.electron.evaluate(
    ({ BrowserWindow }, size) => BrowserWindow.getAllWindows()[0]?.setContentSize(size.width, size.height),
    { width, height },
  );
const untilDrawn = (turn: number, timeout = 10_000): Promise<void> =>
  expect.poll(view.drawn, { timeout, interval: 20 }).toBe(turn);

/** Whether all of an element can be seen without scrolling: it lies in the part of the view that scrolls. */
async function isOnFirstScreen(element: Locator): Promise<boolean> {
  const [outer, inner] = [await scroller().boundingBox(), await element.boundingBox()];
  if (outer === null || inner === null) return false;
  return inner.y >= outer.y && inner.y + inner.height <= outer.y + outer.height + 1;
}

const code = (text: string, sha256 = 'a'.repeat(64)): Pick<Card, 'code'> => ({
  code: { ...cardCode('', sha256), bytes: Buffer.byteLength(text), lines: toCodeLines(text) },
});
const earlier = (text: string): Pick<Card, 'earlier'> => ({
  earlier: { sha256: 'b'.repeat(64), approvedAtMs: Date.now() - 86_400_000, lines: toCodeLines(text) },
});
const lines = (count: number, name = 'line'): string =>
  Array.from({ length: count }, (_, index) => `const ${name}${index} = '${index}';`).join('\n');
const waiting = (change: Partial<Card>): Card => makeCard({ expiresAtMs: Date.now() + 28 * 60_000, ...change });

const usual: Partial<Card> = {
  sentence: plain('laptop wants to run weather once with WEATHER_KEY and MAPS_KEY towards 2 hosts.'),
  changes: [
    { kind: 'limits', severity: 'info', text: plain('the time limit went from 30 s to 60 s') },
    { kind: 'host', severity: 'danger', text: plain('new host api.weathcr.example') },
    { kind: 'code', severity: 'warn', text: plain('the code now runs text as code') },
  ],
  facts: [
    { key: 'changed', label: 'What is new', tone: 'notice', value: plain('since you approved it yesterday') },
    {
      key: 'secret:WEATHER_KEY',
      label: 'Secret WEATHER_KEY',
      tone: 'plain',
      value: plain('goes to api.weather.example'),
    },
    { key: 'secret:MAPS_KEY', label: 'Secret MAPS_KEY', tone: 'danger', value: plain('the code gets the real value') },
    { key: 'network', label: 'Network', tone: 'plain', value: plain('api.weather.example and api.weathcr.example') },
    { key: 'limits', label: 'Limits', tone: 'plain', value: plain('60 s, 256 MB') },
    { key: 'isolation', label: 'Runs in', tone: 'notice', value: plain('the embedded sandbox') },
  ],
  findings: [
    { severity: 'info', text: plain('calls api.weather.example') },
    { severity: 'warn', text: plain('runs text as code (eval)') },
  ],
  ...code(`${lines(40)}\neval(x);`),
  ...earlier(lines(40)),
};

describe('the first screen of a card', () => {
  it.each([
    [1080, 760],
    [600, 760],
  ])('holds what is new, what goes where and the buttons at %d x %d', async (width, height) => {
    await setSize(width, height);
    await untilDrawn(await view.show(waiting(usual)));
    expect(await house.decision.getByRole('heading', { level: 1 }).boundingBox()).toMatchObject({
      y: expect.any(Number),
    });
    expect(await isOnFirstScreen(part('What is new'))).toBe(true);
    expect(await isOnFirstScreen(part('Secrets and hosts'))).toBe(true);
    for (const name of ['Run Once', 'Trust 24h', 'Always Trust', 'Deny']) {
      const place = await button(name).boundingBox();
      expect((place?.y ?? height) + (place?.height ?? 0), name).toBeLessThanOrEqual(height - 56);
    }
    await setSize(1080, 760);
  });

  it('tells what weighs most first, in words as well as in colour', async () => {
    await view.show(waiting(usual));
    expect(await part('What is new').getByRole('listitem').allTextContents()).toEqual([
      expect.stringContaining('Danger: new host'),
      expect.stringContaining('Warning: the code now'),
      expect.stringContaining('the time limit'),
    ]);
  });

  it('counts the warnings that have to be scrolled to, and goes there', async () => {
    await setSize(1080, 520);
    await untilDrawn(await view.show(waiting(usual)));
    const below = button(/warnings? below/);
    const before = await below.textContent();
    await below.click();
    await expect.poll(() => below.textContent()).not.toBe(before);
    await scroller().evaluate((element) => element.scrollTo(0, 5_000));
    await below.waitFor({ state: 'detached' });
    await scroller().evaluate((element) => element.scrollTo(0, 0));
    await below.waitFor();
    await setSize(1080, 760);
  });

  it('reads in the order that matters, each part under its name', async () => {
    await untilDrawn(await view.show(waiting(usual)));
    const names = await house.decision
      .getByRole('main')
      .evaluate((main) => [...main.querySelectorAll('h1, h2, figcaption')].map((heading) => heading.textContent));
    expect(names).toEqual([
      expect.stringContaining('laptop wants to run weather'),
      'What is new',
      'Secrets and hosts',
      'How it runs',
      'What the code was seen to do',
      expect.stringContaining('The agent says'),
      'Code',
    ]);
    expect(await house.decision.getByRole('timer').textContent()).toMatch(/^2[78] minutes left$/);
  });

  it.each(['light', 'dark'] as const)('has nothing that axe finds, %s', async (colorScheme) => {
    const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    await house.decision.emulateMedia({ colorScheme });
    const blocked = { missingSecrets: ['WEATHER_KEY'], bindableHosts: ['api.weather.example'], ...usual };
    for (const card of [usual, blocked]) {
      await untilDrawn(await view.show(waiting(card), { armsInMs: 0 }));
      await house.decision.evaluate(axe);
      const found = await house.decision.evaluate(
        'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes.map((node) => node.html)))',
      );
      expect(found).toEqual([]);
    }
    await house.decision.emulateMedia({ colorScheme: null });
  });

  it('says that the vault is locked, and approves nothing', async () => {
    await view.show(waiting(usual), { armsInMs: 0, locked: true });
    await house.decision.getByText('The vault is locked').waitFor();
    for (const name of ['Run Once', 'Trust 24h', 'Always Trust']) expect(await button(name).isDisabled()).toBe(true);
    expect(await button('Deny').isEnabled()).toBe(true);
  });
});

describe('the code of a card', () => {
  it('is shown as what changed first; what did not opens by a click, and all of it is one click away', async () => {
    await view.show(waiting(usual));
    await button(/^Changes/).waitFor();
    expect(await button(/^Changes/).textContent()).toMatch(/\+1.*−0/s);
    await listing().getByText('eval(x)').waitFor();
    await button('Show 37 lines that did not change').click();
    await expect.poll(() => listing().getByText("const line0 = '0';").count()).toBe(1);
    await button('All code').click();
    await part('Code that would run').getByRole('list', { name: 'Lines of the code that would run' }).waitFor();
  });

  it('stands beside the approved version where there is room', async () => {
    await setSize(1400, 900);
    const [now, before] = ["fetch('https://api.example');", "fetch('https://api.examp1e');"];
    await untilDrawn(await view.show(waiting({ ...code(now), ...earlier(before) })));
    const row = rows().filter({ hasText: 'api.example' });
    expect(await row.textContent()).toMatch(/removed.*examp1e.*added.*example/s);
    await setSize(1080, 760);
    await expect.poll(() => rows().filter({ hasText: 'api.example' }).textContent()).not.toContain('examp1e');
  });

  it('arms nothing before it is compared, and two texts of 15000 different lines do not hang', async () => {
    const began = performance.now();
    const turn = await view.show(waiting({ ...code(lines(15_000, 'now')), ...earlier(lines(15_000, 'before')) }));
    await house.decision.getByText('Too different from the version').waitFor();
    await untilDrawn(turn);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(await rows().first().getAttribute('aria-setsize')).toBe('15000');
  });

  it('says that only what cannot be seen changed', async () => {
    await view.show(waiting({ ...code('a();\nb();'), ...earlier('a();\r\nb();') }));
    await house.decision.getByText('No line looks different').waitFor();
    await view.show(waiting({ ...code('a();', 'b'.repeat(64)), ...earlier('a();') }));
    await house.decision.getByText('Exactly the version').waitFor();
  });

  it('opens 15000 lines at once, and finds what stands in the last one', async () => {
    const began = performance.now();
    const long = `${lines(14_999)}\nhiddenPayload();`;
    await untilDrawn(await view.show(waiting(code(long))), 5_000);
    expect(performance.now() - began).toBeLessThan(5_000);
    await house.decision.keyboard.press('Control+f');
    await house.decision.getByRole('textbox', { name: 'Find in code' }).fill('HIDDENpayload');
    await listing().getByText('1 of 1').waitFor();
    await expect.poll(() => isOnFirstScreen(listing().getByText('hiddenPayload'))).toBe(true);
    await house.decision.keyboard.press('Escape');
    await house.decision.getByRole('textbox', { name: 'Find in code' }).waitFor({ state: 'detached' });
    // The card itself stays: that Esc was for the search.
    await button('Run Once').waitFor();
  });

  it('gets its colours in a worker, and says the same with them (ATTACKS M209-M212)', async () => {
    const text = "const a = 'x\u202e\u200b'; // 👩‍👩‍👧 \u001b[31m <b>bold</b>\nlet b = 42;";
    const shown = () =>
      listing()
        .getByRole('listitem')
        .evaluateAll((items) => items.map((item) => item.textContent));
    await untilDrawn(await view.show(waiting(code(text))));
    const expected = toCodeLines(text).map((line) => line.map((segment) => segment.text).join(''));
    expect(await shown()).toEqual(expected);
    await expect.poll(() => listing().locator('[class*=keyword]').count()).toBeGreaterThan(1);
    expect(await shown()).toEqual(expected);
    expect(await listing().locator('mark').allTextContents()).toEqual(
      expect.arrayContaining(['U+202E', 'U+200B', 'U+001B']),
    );
  });

  it('can have no other worker, and neither can the window (ATTACKS O240)', async () => {
    const attempt = `(() => { try {
      const make = trustedTypes.createPolicy('oauth3-workers', { createScriptURL: (url) => url });
      return String(new Worker(make.createScriptURL('/assets/x.js')));
    } catch (error) { return error.name; } })()`;
    for (const page of [house.decision, house.window]) expect(await page.evaluate(attempt)).toBe('TypeError');
  });
});

describe('a card of hostile text', () => {
  const nasty = `\u202e\u200b\u001b[31m<img src=x onerror=alert(1)>👩‍👩‍👧 e${'\u0301'.repeat(40)} `;
  const hostile = nasty.repeat(12_000).slice(0, 1_000_000);
  const hosts = Array.from({ length: 10_000 }, (_, index) => `host${index}.example`);
  const bad = (text: readonly Segment[]): Partial<Card> => ({
    sentence: text,
    changes: [{ kind: 'host', severity: 'danger', text }],
    facts: [
      { key: 'secret:X', label: 'Secret X', tone: 'danger', value: text },
      { key: 'network', label: 'Network', tone: 'plain', value: plain(hosts.join(', ')) },
    ],
    quotes: [{ label: 'The agent says', text }],
    findings: [{ severity: 'warn', text }],
    unboundSecrets: [{ name: 'X', hosts }],
    ...code(hostile.slice(0, 256 * 1024)),
  });

  it('of a megabyte in each place is on the screen in seconds, whole, and nothing covers anything', async () => {
    const text = toSegments(hostile, { multiline: true });
    const began = performance.now();
    await untilDrawn(await view.show(waiting(bad(text))), 30_000);
    expect(performance.now() - began).toBeLessThan(30_000);
    await button(/warnings? below/).waitFor();
    const network = house.decision.getByRole('region', { name: 'Network' });
    await network.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await network.getByText('host9999.example').waitFor();
    const characters = segmentText(plain(hosts.join(', '))).length.toLocaleString('en');
    await part('Secrets and hosts').getByText(`${characters} characters: scroll here`).waitFor();
    expect(await house.decision.locator('img').count()).toBe(0);
    await button('Deny').waitFor();
    const [bar, content] = [await part('Your decision').boundingBox(), await scroller().boundingBox()];
    expect((content?.y ?? 0) + (content?.height ?? 0)).toBeLessThanOrEqual((bar?.y ?? 0) + 1);
    // It answers while all this is on it.
    await button('Show me').click();
    await house.decision
      .locator('label', { hasText: /^\s*host3\.example$/ })
      .locator('input')
      .check();
  });
});

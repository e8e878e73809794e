import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  type Agent,
  API_HOST,
  bridgeCall,
  callingCode,
  openWindowHouse,
  type WindowHouse,
} from '../support/windowHouse.ts';

const secretSchema = z.looseObject({ name: z.string(), hosts: z.array(z.string()) });
const fakeKey = (): string => `test-${randomBytes(18).toString('base64url')}`;

let house: WindowHouse;
let agent: Agent;

beforeAll(async () => {
  house = await openWindowHouse();
  agent = await house.newAgent();
});
afterAll(() => house?.close());

/** A wish that says its own name, so that every test has a card of its own. */
const wish = (name: string, change: object = {}) => ({
  skill_id: name,
  code: `console.log(${JSON.stringify(name)})`,
  ...change,
});
const callingWish = (name: string, key: string) =>
  wish(name, { code: callingCode(key), secrets: [key], metadata: { network: [API_HOST] } });
const button = (name: string) => house.decision.getByRole('button', { name });
/** Waits until main lets that button work. */
const armed = (name: string) => button(name).and(house.decision.locator(':enabled')).waitFor();
const heading = () => house.decision.getByRole('heading', { level: 1 });
const addSecret = (name: string, hosts: readonly string[], value = fakeKey()) =>
  bridgeCall(house.window, 'addSecret', { name, value, hosts });
const isFinal = async (id: string): Promise<unknown> => (await agent.request(id, 0)).status;

const ask = (body: ReturnType<typeof wish>): Promise<string> => house.askAndOpen(agent, body);

/** Where a button stands on the screen, for a mouse that is not Playwright's. */
async function screenPlace(name: string): Promise<readonly [x: string, y: string]> {
  const box = await button(name).boundingBox();
  const origin = await house.app.electron.evaluate(({ BrowserWindow }) => {
    const [window] = BrowserWindow.getAllWindows();
    const content = window?.getContentBounds() ?? { x: 0, y: 0 };
    const view = window?.contentView.children.at(-1)?.getBounds() ?? { x: 0, y: 0 };
    return { x: content.x + view.x, y: content.y + view.y };
  });
  if (box === null) throw new Error(`no button ${name}`);
  return [String(Math.round(origin.x + box.x + box.width / 2)), String(Math.round(origin.y + box.y + box.height / 2))];
}

describe('a card in the window', () => {
  it('runs once by a click of the real mouse', async () => {
    const id = await ask(wish('by-mouse'));
    await armed('Run Once');
    const clicked = await house.desk.run('xdotool', [
      'mousemove',
      '--sync',
      ...(await screenPlace('Run Once')),
      'click',
      '1',
    ]);
    expect(clicked.code).toBe(0);
    expect(await agent.request(id)).toMatchObject({
      status: 'success',
      decision: 'once',
      result: { stdout: 'by-mouse\n' },
    });
    await heading().getByText('Approved once in the app').waitFor();
    await button('Show the run').click();
    await house.window.getByRole('heading', { name: 'by-mouse' }).waitFor();
    // The card went away from above it.
    const views = ({ BrowserWindow }: typeof import('electron')) =>
      BrowserWindow.getAllWindows()[0]?.contentView.children.length;
    await expect.poll(() => house.app.electron.evaluate(views)).toBe(0);
    await house.window.getByRole('navigation').getByRole('button', { name: 'Requests' }).click();
  });

  it('trusts for 24 hours, so that the same runs at once, and shows that where trust is listed', async () => {
    const id = await ask(wish('for-a-day'));
    await button('Trust 24h').click();
    expect(await agent.request(id)).toMatchObject({ status: 'success', decision: '24h' });
    expect(await agent.execute(wish('for-a-day'))).toMatchObject({ status: 200, body: { trusted: true } });
    await house.window.getByRole('navigation').getByRole('button', { name: 'Trust' }).click();
    const row = house.window.getByRole('row', { name: /for-a-day/ });
    await row.getByText('in 24 hours').waitFor();
    await row.getByRole('button', { name: 'Revoke' }).click();
    await row.waitFor({ state: 'detached' });
    expect(await agent.execute(wish('for-a-day'))).toMatchObject({ status: 202 });
    await house.window.getByRole('navigation').getByRole('button', { name: 'Requests' }).click();
  });

  it('trusts always only after a second step, which can be taken back', async () => {
    const id = await ask(wish('always'));
    await button('Always Trust').click();
    await button('Back').click();
    await button('Always Trust').click();
    expect(await isFinal(id)).toBe('pending');
    await button('Confirm Always').click();
    expect(await agent.request(id)).toMatchObject({ status: 'success', decision: 'forever' });
    expect(await agent.execute(wish('always'))).toMatchObject({ status: 200, body: { trusted: true } });
  });

  it('asks whether always means these arguments or any', async () => {
    const id = await ask(wish('with-arguments', { args: { city: 'Bern' } }));
    await button('Always Trust').click();
    await button('Always, with any arguments').click();
    expect(await agent.request(id)).toMatchObject({ status: 'success' });
    const other = await agent.execute(wish('with-arguments', { args: { city: 'Oslo' } }));
    expect(other).toMatchObject({ status: 200, body: { trusted: true } });
  });

  it('denies with a reason that the agent gets', async () => {
    const id = await ask(wish('not-this'));
    await button('Deny').click();
    await house.decision.getByLabel('Reason for the agent').fill('Ask for less.');
    await house.decision.getByLabel('Reason for the agent').press('Enter');
    expect(await isFinal(id)).toBe('pending');
    await button('Deny').click();
    expect(await agent.request(id)).toMatchObject({ status: 'denied', deny_reason: 'Ask for less.' });
  });

  it('takes a missing secret first, which is used and never shown', async () => {
    const key = fakeKey();
    const id = await ask(callingWish('needs-a-key', 'OPENAI_API_KEY'));
    await button('Deny').waitFor();
    expect(await button('Run Once').count()).toBe(0);
    await house.decision.getByLabel('Value of OPENAI_API_KEY').fill(key);
    await button('Add OPENAI_API_KEY').click();
    await button('Run Once').click();
    const answer = await agent.request(id);
    expect(answer).toMatchObject({ status: 'success' });
    expect(house.api.received.at(-1)?.headers.authorization).toBe(`Bearer ${key}`);
    const pages = (await house.decision.content()) + (await house.window.content());
    expect(JSON.stringify(answer) + pages).not.toContain(key);
  });

  it('binds a missing secret in the same step to the host that the owner chooses', async () => {
    const key = fakeKey();
    const id = await ask(callingWish('needs-a-house-key', 'GARDEN_KEY'));
    await house.decision.getByRole('checkbox', { name: API_HOST }).check();
    await house.decision.getByLabel('Value of GARDEN_KEY').fill(key);
    await button('Add GARDEN_KEY').click();
    await button('Run Once').click();
    expect(await agent.request(id)).toMatchObject({ status: 'success' });
    expect(house.api.received.at(-1)?.headers.authorization).toBe(`Bearer ${key}`);
    const { value } = z.object({ value: z.array(secretSchema) }).parse(await bridgeCall(house.window, 'secrets', null));
    expect(value.find(({ name }) => name === 'GARDEN_KEY')?.hosts).toEqual([API_HOST]);
  });

  it('waits longer when the owner adds time', async () => {
    await ask(wish('more-time'));
    const timer = house.decision.getByRole('timer');
    await timer.getByText(/^(?:29|30) minutes left$/).waitFor();
    await button('Add time').click();
    await timer.getByText(/^(?:59|60) minutes left$/).waitFor();
  });

  it('shows the version that was approved before beside the code that would run', async () => {
    const first = await ask(wish('grows'));
    await button('Run Once').click();
    expect(await agent.request(first)).toMatchObject({ status: 'success' });
    await ask(wish('grows', { code: `console.log("grows")\nfetch('https://${API_HOST}')` }));
    await button('All code').waitFor();
    await house.decision.getByRole('button', { name: '+1 lines added' }).waitFor();
    await armed('Run Once');
  });

  it('asks where a secret may go that is bound nowhere, and Run Once does not keep the answer', async () => {
    await addSecret('HOUSE_KEY', []);
    const id = await ask(callingWish('unbound', 'HOUSE_KEY'));
    await button('Deny').waitFor();
    expect(await button('Run Once').count()).toBe(0);
    await armed('Deny');
    await house.decision.getByRole('checkbox', { name: API_HOST }).check();
    await button('Allow HOUSE_KEY there').click();
    await button('Run Once').click();
    expect(await agent.request(id)).toMatchObject({ status: 'success' });
    await ask(callingWish('unbound', 'HOUSE_KEY'));
    await house.decision.getByRole('heading', { name: 'Put HOUSE_KEY into requests to which host?' }).waitFor();
  });
});

it('the third denial of an agent in a row offers to pause it, and that agent alone', async () => {
  const nagging = await house.newAgent('nagging');
  const offer = button('Pause nagging');
  for (const name of ['nag-1', 'nag-2', 'nag-3']) {
    expect(await offer.count()).toBe(0);
    await house.askAndOpen(nagging, wish(name));
    await button('Deny').click();
    await button('Deny').click();
    await heading().getByText('Denied').waitFor();
  }
  await offer.click();
  await house.decision.getByText('nagging is paused').waitFor();
  expect(await nagging.execute(wish('nag-4'))).toMatchObject({ status: 403 });
  expect(await agent.execute(wish('others-go-on'))).toMatchObject({ status: 202 });
});

it('the list of waiting requests says that a request has ended when the owner clicks it all the same', async () => {
  const show = (visible: boolean) =>
    house.app.electron.evaluate(({ BrowserWindow }, toShow) => {
      const [window] = BrowserWindow.getAllWindows();
      if (toShow) window?.show();
      else window?.hide();
    }, visible);
  const row = house.window.getByRole('list', { name: 'Waiting' }).getByRole('button', { name: 'gone-meanwhile' });
  const id = await agent.ask(wish('gone-meanwhile'));
  await row.waitFor();
  // A hidden window is told of no change: it keeps the row.
  await show(false);
  expect(await agent.cancel(id)).toBe(200);
  await row.dispatchEvent('click');
  await house.window.getByRole('alert').getByText('does not wait any more').waitFor();
  await show(true);
  await row.waitFor({ state: 'detached' });
});

describe('the buttons of a card (ATTACKS L206)', () => {
  const decideAt = async (id: string): Promise<unknown> => {
    const state = await house.decision.evaluate('window.oauth3.calls.current(null)');
    const revision = JSON.stringify(state).match(/"revision":"([^"]+)"/)?.[1];
    return bridgeCall(house.decision, 'decide', { subject: 'run', id, revision, verdict: 'once' });
  };
  const blocked = { ok: false, error: { code: 'card_blocked' } };

  it('are refused by main in the first second, and dark', async () => {
    const id = await agent.ask(wish('too-quick'));
    const opened = performance.now();
    await house.openCard('too-quick');
    expect(await button('Run Once').isEnabled()).toBe(false);
    expect(await decideAt(id)).toMatchObject(blocked);
    await armed('Run Once');
    expect(performance.now() - opened).toBeGreaterThanOrEqual(1000);
    expect(await isFinal(id)).toBe('pending');
  });

  it('start anew when the card changes under the mouse', async () => {
    const id = await ask(callingWish('changes', 'LATER_KEY'));
    await armed('Deny');
    await addSecret('LATER_KEY', [API_HOST]);
    await button('Run Once').waitFor();
    expect(await button('Run Once').isEnabled()).toBe(false);
    expect(await decideAt(id)).toMatchObject(blocked);
    expect(await isFinal(id)).toBe('pending');
    await button('Run Once').click();
    expect(await agent.request(id)).toMatchObject({ status: 'success' });
  });

  it('are dark while another window has the focus, and for a second after', async () => {
    const id = await ask(wish('behind'));
    await armed('Run Once');
    await house.app.electron.evaluate(({ BrowserWindow }) => {
      new BrowserWindow({ width: 300, height: 200, title: 'another' }).focus();
    });
    await house.decision.getByText('once this window is in front').waitFor();
    expect(await button('Run Once').isEnabled()).toBe(false);
    expect(await decideAt(id)).toMatchObject(blocked);
    await house.app.electron.evaluate(({ BrowserWindow }) => {
      const [other, main] = BrowserWindow.getAllWindows().sort((a) => (a.getTitle() === 'another' ? -1 : 1));
      other?.destroy();
      main?.focus();
    });
    const back = performance.now();
    expect(await decideAt(id)).toMatchObject(blocked);
    await armed('Run Once');
    expect(performance.now() - back).toBeGreaterThanOrEqual(900);
  });

  it('do nothing by Enter and work by Space', async () => {
    const id = await ask(wish('by-key'));
    await armed('Run Once');
    await button('Run Once').focus();
    await house.decision.keyboard.press('Enter');
    await house.decision.keyboard.press('Enter');
    expect(await isFinal(id)).toBe('pending');
    await house.decision.keyboard.press('Space');
    expect(await agent.request(id)).toMatchObject({ status: 'success' });
  });

  it('are reached and worked by the keyboard alone, second step and reason as well', async () => {
    const { keyboard } = house.decision;
    const tabTo = async (name: string): Promise<void> => {
      const wanted = house.decision.getByRole('button', { name, exact: true });
      for (let presses = 0; presses < 40; presses += 1) {
        await keyboard.press('Tab');
        if (await wanted.evaluate((element) => element.matches(':focus'))) return;
      }
      throw new Error(`no way by Tab to ${name}`);
    };
    const approved = await ask(wish('tabbed'));
    await armed('Run Once');
    await tabTo('Run Once');
    await keyboard.press('Space');
    expect(await agent.request(approved)).toMatchObject({ status: 'success' });
    const denied = await ask(wish('tabbed-away'));
    await armed('Deny…');
    await tabTo('Deny…');
    await keyboard.press('Space');
    await keyboard.type('Not like this.');
    await tabTo('Deny');
    await keyboard.press('Space');
    expect(await agent.request(denied)).toMatchObject({ status: 'denied', deny_reason: 'Not like this.' });
  });

  it('are not what has the focus when a card opens', async () => {
    const id = await ask(wish('typed-into'));
    await armed('Run Once');
    const { decision } = house;
    expect(await decision.evaluate('document.activeElement.tagName')).toBe('BODY');
    for (const key of ['Space', 'Enter', 'Space']) await decision.keyboard.press(key);
    expect(await isFinal(id)).toBe('pending');
  });

  it('are left undecided by Esc and by the closing button', async () => {
    const id = await ask(wish('left-open'));
    const shown = () =>
      house.app.electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.contentView.children.length);
    const open = await shown();
    await house.decision.keyboard.press('Escape');
    await heading().waitFor({ state: 'detached' });
    expect(await shown()).toBe((open ?? 0) - 1);
    await house.openCard('left-open');
    await button('Close; nothing is decided').click();
    await heading().waitFor({ state: 'detached' });
    expect(await isFinal(id)).toBe('pending');
  });

  it('go when the card ends elsewhere', async () => {
    const id = await ask(wish('withdrawn'));
    await armed('Run Once');
    expect(await agent.cancel(id)).toBe(200);
    await heading().getByText('withdrawn').waitFor();
    expect(await button('Run Once').count()).toBe(0);
    expect(
      await bridgeCall(house.decision, 'decide', { subject: 'run', id, revision: 'x', verdict: 'once' }),
    ).toMatchObject(blocked);
  });
});

it('a program that wants to become an agent gets its token after the owner compared the code', async () => {
  const headers = { 'content-type': 'application/json' };
  const asked = await fetch(`${house.app.url}/pair`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ name: 'tablet' }),
  });
  const { pairing_id: id, code } = JSON.parse(await asked.text());
  await house.openCard('tablet');
  await house.decision.getByText(code).waitFor();
  await button('Approve').click();
  await heading().getByText('Paired').waitFor();
  const paired = JSON.parse(await (await fetch(`${house.app.url}/pair/${id}?wait=10`)).text());
  expect(paired).toMatchObject({ status: 'approved', token: expect.stringMatching(/^oa3_/) });
});

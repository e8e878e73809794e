import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { call } from '../../cli/client.ts';
import { controlAddress } from '../../cli/place.ts';
import { type BotApi, startBotApi } from '../support/botApi.ts';
import { type Desk, openDesk } from '../support/desk.ts';
import { launchApp, type RunningApp } from '../support/desktop.ts';

const owner = 42;

describe('a native notification, on a real desktop with a real notification daemon', () => {
  let desk: Desk;
  let telegram: BotApi;
  let app: RunningApp;
  let token: string;

  beforeAll(async () => {
    desk = await openDesk();
    telegram = await startBotApi();
    app = await launchApp(desk, {
      env: { TELEGRAM_BOT_TOKEN: telegram.token, TELEGRAM_CHAT_ID: String(owner), TELEGRAM_API_ROOT: telegram.root },
    });
    const address = controlAddress({ OAUTH3_DATA_DIR: app.dataDir });
    token = (await call(address, 'agent.add', { name: 'notified' })).token;
  });
  afterAll(async () => {
    await app?.stop();
    await telegram?.close();
    await desk?.close();
  });

  async function ask(skill: string): Promise<string> {
    const response = await fetch(`${app.url}/execute`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ skill_id: skill, code: `console.log(${JSON.stringify(skill)})` }),
    });
    expect(response.status).toBe(202);
    return z.looseObject({ request_id: z.string() }).parse(await response.json()).request_id;
  }

  const outcomeOf = async (id: string): Promise<unknown> => {
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(`${app.url}/requests/${id}?wait=20`, { headers })).json();
  };

  it('denies with one click, and Telegram shows the outcome', async () => {
    const id = await ask('deny-me');
    await desk.clickNotificationButton('deny-me', 'Deny');
    expect(await outcomeOf(id)).toMatchObject({ status: 'denied' });
    await telegram.waitFor(() => telegram.messages(owner).some((message) => message.text.startsWith('❌')));
  });

  it('opens exactly its card with Review, and decides nothing', async () => {
    const id = await ask('review-me');
    await desk.clickNotificationButton('review-me', 'Review');
    const view = await app.view('decision');
    await view.getByText('review-me').first().waitFor();
    const headers = { authorization: `Bearer ${token}` };
    expect(await (await fetch(`${app.url}/requests/${id}`, { headers })).json()).toMatchObject({ status: 'pending' });
    await telegram.tap('❌ Deny', owner, { about: 'review-me' });
    expect(await outcomeOf(id)).toMatchObject({ status: 'denied' });
  });

  it('goes away when the decision was made in Telegram', async () => {
    const id = await ask('decided-elsewhere');
    await desk.notificationButton('decided-elsewhere', 'Deny');
    await telegram.tap('✅ Run Once', owner, { about: 'decided-elsewhere' });
    expect(await outcomeOf(id)).toMatchObject({ status: 'success', result: { stdout: 'decided-elsewhere\n' } });
    await desk.notificationGone('decided-elsewhere', 'Deny');
  });
});

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BotApi, startBotApi } from '../support/botApi.ts';
import { bridgeCall, openWindowHouse, type WindowHouse } from '../support/windowHouse.ts';

const owner = 42;
const group = -1001;

describe('setting up Telegram in the window', () => {
  let bot: BotApi;
  let house: WindowHouse;
  beforeAll(async () => {
    bot = await startBotApi();
    house = await openWindowHouse({ env: { TELEGRAM_API_ROOT: bot.root } });
  });
  afterAll(async () => {
    await house?.close();
    await bot?.close();
  });

  const button = (name: string) => house.window.getByRole('button', { name });
  const code = async (): Promise<string> => {
    const shown = house.window.getByTestId('telegram-code');
    await shown.waitFor();
    return (await shown.textContent()) ?? '';
  };
  /** The next questions of main are answered so; what they were is kept. */
  const answerQuestions = (yes: boolean): Promise<void> =>
    house.app.electron.evaluate(({ dialog }, response) => {
      const asked: string[] = [];
      Reflect.set(globalThis, 'asked', asked);
      Reflect.set(dialog, 'showMessageBox', async (_window: unknown, options: { message: string }) => {
        asked.push(options.message);
        return { response, checkboxChecked: false };
      });
    }, Number(yes));
  const asked = (): Promise<unknown> => house.app.electron.evaluate(() => Reflect.get(globalThis, 'asked'));

  it('begins on the first steps, and says in words what is wrong with a token', async () => {
    const { window } = house;
    await button('Set up Telegram').click();
    await window.getByRole('heading', { name: 'Decide from your phone' }).waitFor();
    const wrong = `${bot.botId}:${randomBytes(18).toString('hex').slice(0, 35)}`;
    await window.getByLabel('Bot token').fill(wrong);
    expect(await window.getByLabel('Bot token').getAttribute('type')).toBe('password');
    await button('Connect the bot').click();
    await window.getByRole('alert').getByText('Telegram does not know this token').waitFor();
    expect(await window.content()).not.toContain(wrong);
    expect(await window.getByLabel('Bot token').inputValue()).toBe('');
  });

  it('O241 goes from the token over the code to a test card, and main itself asks who may decide', async () => {
    const { window } = house;
    await window.getByLabel('Bot token').fill(bot.token);
    await window.getByLabel('Bot token').press('Enter');
    await window.getByText('Your bot is @oauth3_test_bot.').waitFor();
    await expect.poll(() => window.locator(':focus').textContent()).toContain('Show the bot that it is you');
    await button('Show me a code').click();
    bot.say(await code(), owner);
    await window.getByText('(id 42) sent the code. Is this you?').waitFor();

    // A script in the window can say yes as often as it likes: the owner is asked outside of it.
    await answerQuestions(false);
    expect(await bridgeCall(window, 'telegramAdmit', { chatId: owner })).toEqual({ ok: true, value: false });
    expect(await bridgeCall(window, 'telegramAdmit', { chatId: 99 })).toMatchObject({ ok: false });
    expect(await bridgeCall(window, 'telegram', null)).toMatchObject({ value: { members: [] } });
    expect(await asked()).toEqual(['May “User 42” decide what runs?']);

    await answerQuestions(true);
    await button('Yes, let me decide there…').click();
    await button('Send a test card').click();
    await window.getByText('Press the button on it').waitFor();
    await bot.tap('✅ It works', owner);
    await window.getByText('It works: User 42 pressed the button.').waitFor();
    await button('Done').click();
    await window.getByRole('heading', { name: '@oauth3_test_bot' }).waitFor();
    expect(JSON.stringify(await bridgeCall(window, 'telegram', null))).not.toContain(bot.token.split(':')[1]);
  });

  it('adds a group and takes it out again, and the owner decides in Telegram', async () => {
    const { window } = house;
    await button('Add a group').click();
    bot.say(await code(), owner, { chatId: group });
    await button('Yes, send cards there…').click();
    const row = window.getByRole('row').filter({ hasText: 'Group -1001' });
    await row.waitFor();
    const agent = await house.newAgent();
    const id = await agent.ask({ skill_id: 'from-afar', code: 'console.log(7)' });
    await bot.waitFor(() => bot.messages(group).some(({ text }) => text.includes('from-afar')));
    await bot.tap('✅ Run Once', owner, { about: 'from-afar' });
    expect(await agent.request(id)).toMatchObject({ status: 'success' });

    await row.getByRole('button', { name: 'Remove' }).click();
    await window.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
    await row.waitFor({ state: 'detached' });
  });

  it('is there after a restart, and gone when the owner disconnects', async () => {
    await house.restart();
    await expect
      .poll(() => bridgeCall(house.window, 'telegram', null))
      .toMatchObject({ value: { source: 'window', connection: 'connected', problem: null } });
    const { window } = house;
    await window.getByRole('navigation').getByRole('button', { name: 'Settings' }).click();
    await window.getByRole('tab', { name: 'Telegram' }).click();
    await button('Disconnect').click();
    await window.getByRole('alertdialog').getByRole('button', { name: 'Disconnect' }).click();
    await button('Connect the bot').waitFor();
    expect(await bridgeCall(window, 'telegram', null)).toMatchObject({ value: { source: 'none', members: [] } });
  });
});

describe('Telegram that the environment sets', () => {
  it('is shown as such, and cannot be changed here', async () => {
    const bot = await startBotApi();
    const env = { TELEGRAM_API_ROOT: bot.root, TELEGRAM_BOT_TOKEN: bot.token, TELEGRAM_CHAT_ID: String(owner) };
    const house = await openWindowHouse({ env });
    try {
      await house.window.getByRole('navigation').getByRole('button', { name: 'Settings' }).click();
      await house.window.getByRole('tab', { name: 'Telegram' }).click();
      await house.window.getByText('The bot is set by').waitFor();
      expect(await house.window.getByRole('button', { name: 'Disconnect' }).count()).toBe(0);
      expect(await bridgeCall(house.window, 'telegramDisconnect', null)).toMatchObject({ ok: false });
    } finally {
      await house.close();
      await bot.close();
    }
  });
});

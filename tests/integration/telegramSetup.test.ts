import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TelegramActions, TelegramView } from '../../contract/telegramView.ts';
import { silentLog } from '../../main/core/log.ts';
import { segmentText } from '../../main/core/segmentText.ts';
import { openStore, type Store } from '../../main/store/store.ts';
import { type BotApi, startBotApi } from '../support/botApi.ts';
import { startTestBroker, type TestBroker } from '../support/broker.ts';
import { keepingLog } from '../support/telegramHouse.ts';

const owner = 42;
const second = 43;
const stranger = 99;
const group = -1001;
const by = 'desktop';
const passphrase = randomBytes(12).toString('hex');

let api: BotApi;
let scratch: string;
let house: TestBroker;
let logged: string[];

const start = async (env: Readonly<Record<string, string>> = {}, unlocked = true): Promise<void> => {
  house = await startTestBroker({
    dataDir: join(scratch, 'data'),
    passphrase: unlocked ? passphrase : null,
    env: { TELEGRAM_API_ROOT: api.root, ...env },
    ports: { log: keepingLog(logged) },
  });
};

beforeEach(async () => {
  logged = [];
  api = await startBotApi();
  scratch = mkdtempSync(join(tmpdir(), 'oauth3-telegram-'));
  await start();
});

afterEach(async () => {
  await house.stop();
  await api.close();
  rmSync(scratch, { recursive: true, force: true });
});

const telegram = (): TelegramActions => house.owner.telegram();
const view = (): Promise<TelegramView> => telegram().view();
const members = async (): Promise<readonly number[]> => (await view()).members.map(({ chatId }) => chatId);

const invitation = async (): Promise<NonNullable<TelegramView['invitation']>> => {
  const { invitation: open } = await view();
  if (open === null) throw new Error('no code is open');
  return open;
};

/** Until the bot that runs now has answered a poll, which is after its commands were set. */
const connected = (): Promise<unknown> => expect.poll(async () => (await view()).connection).toBe('connected');

const claimed = async (): Promise<number> => {
  await expect.poll(async () => (await invitation()).claim?.chatId).toBeDefined();
  return (await invitation()).claim?.chatId ?? 0;
};

const letIn = async (chatId: number, kind: 'person' | 'group' = 'person'): Promise<void> => {
  telegram().invite(by, kind);
  const { code } = await invitation();
  api.say(`/start ${code}`, chatId > 0 ? chatId : owner, { chatId });
  expect(await claimed()).toBe(chatId);
  await telegram().admit(by, chatId);
};

const last = (chatId: number, about = ''): ReturnType<BotApi['messages']>[number] | undefined =>
  api.messages(chatId).findLast((message) => message.fromBot && message.text.includes(about));

const audited = async (kind: string): Promise<readonly unknown[]> =>
  (await house.owner.audit({ kind, limit: 100 })).map((row) => row.payload);

const ask = async (skill: string): Promise<string> => {
  const answer = await house.agent().execute({ skill_id: skill, code: 'console.log(1)' });
  expect(answer.status).toBe(202);
  return String(answer.body.request_id);
};

/** How a text looks inside of a longer one in Base64, so many bytes after a multiple of three. */
const base64Inside = (text: string, shift: number): string =>
  Buffer.from(`${'x'.repeat(shift)}${text}`)
    .toString('base64')
    .slice(4, -4);

describe('the owner sets up Telegram in the window', () => {
  it('with a token, a code and a test card, and decides the next request there', async () => {
    expect(await view()).toMatchObject({ source: 'none', connection: 'not_configured', bot: null });
    await telegram().connect(by, ` ${api.token}\n`);
    await connected();
    expect(await view()).toMatchObject({ source: 'window', bot: 'oauth3_test_bot', members: [] });
    expect((await house.owner.status()).notes.join()).toContain('Telegram has no approver yet');

    telegram().invite(by, 'person');
    const { code, link } = await invitation();
    expect(code).toMatch(/^[0-9A-Z]{8}$/);
    expect(link).toBe(`https://t.me/oauth3_test_bot?start=${code}`);
    api.say(`/start ${code}`, owner);
    expect(await claimed()).toBe(owner);
    // Nobody is let in before the owner says so.
    expect(await members()).toEqual([]);
    await telegram().admit(by, owner);
    expect(await members()).toEqual([owner]);
    expect(segmentText((await view()).members[0]?.name ?? [])).toBe('User 42');
    await connected();
    expect((await view()).problem).toBeNull();

    await telegram().test(by);
    expect((await view()).test).toMatchObject({ state: 'sent' });
    await api.tap('✅ It works', owner);
    await expect.poll(async () => (await view()).test?.state).toBe('works');

    const id = await ask('from-the-phone');
    await api.tap('✅ Run Once', owner, { about: 'from-the-phone' });
    await expect.poll(() => house.owner.requestDetail(id).status).toBe('success');
    expect(house.owner.requestDetail(id).decided_by).toBe('telegram:42');
    expect(await audited('telegram.connected')).toEqual([{ bot_id: api.botId, username: 'oauth3_test_bot' }]);
    expect(await audited('telegram.member_added')).toEqual([{ chat_id: owner, member: 'person', name: 'User 42' }]);
  });

  it('and hears in a sentence what is wrong with a token', async () => {
    const refused = (token: string) => telegram().connect(by, token).then(String, String);
    expect(await refused('hello')).toContain('not a bot token');
    const wrong = `${api.botId}:${'x'.repeat(35)}`;
    expect(await refused(wrong)).toContain('does not know this token');
    api.trouble({ method: 'getUpdates', times: 1, status: 409, description: 'Conflict: webhook is active' });
    expect(await refused(api.token)).toContain('Another program already uses this bot');
    api.trouble({ method: 'getMe', times: 1, status: 'drop' });
    const network = await refused(api.token);
    expect(network).toContain('Telegram cannot be reached');
    expect(network).not.toContain(api.token);
    expect(await view()).toMatchObject({ source: 'none', bot: null });
    expect(logged.join()).not.toContain('x'.repeat(35));
  });

  it('and lets in another approver and a group, whose cards only approvers answer', async () => {
    await telegram().connect(by, api.token);
    await connected();
    expect(() => telegram().invite(by, 'group')).toThrow('Add yourself first');
    await letIn(owner);
    await letIn(second);
    await letIn(group, 'group');
    expect(await members()).toEqual([owner, second, group]);
    const id = await ask('for-the-group');
    await api.waitFor(() => last(group, 'for-the-group'));
    expect(await api.tap('❌ Deny', stranger, { chatId: group })).toMatchObject({ alert: true });
    expect(house.owner.requestDetail(id).status).toBe('pending');
    await api.tap('❌ Deny', second, { chatId: group });
    await expect.poll(() => house.owner.requestDetail(id).status).toBe('denied');
  });

  it('and takes somebody out, whose card loses its buttons and whose taps count no more', async () => {
    await telegram().connect(by, api.token);
    await letIn(owner);
    await letIn(second);
    const id = await ask('still-waits');
    const card = await api.waitFor(() => last(second, 'still-waits'));
    const data = card.buttons.flat()[0]?.callback_data ?? '';
    await telegram().remove(by, second);
    expect(await members()).toEqual([owner]);
    expect(last(second, 'still-waits')?.buttons).toEqual([]);
    await connected();
    expect(await api.tapData(data, second, { chatId: second, messageId: card.messageId })).toMatchObject({
      alert: true,
    });
    expect(house.owner.requestDetail(id).status).toBe('pending');
    // The same message still works where it may.
    expect(api.messages(owner).filter((message) => message.text.includes('still-waits'))).toHaveLength(1);
    await api.tap('❌ Deny', owner, { about: 'still-waits' });
    await expect.poll(() => house.owner.requestDetail(id).status).toBe('denied');
  });
});

describe('a code', () => {
  beforeEach(async () => {
    await telegram().connect(by, api.token);
    await connected();
  });

  it('L201 that is wrong lets a stranger nowhere, five times at most, and is audited', async () => {
    telegram().invite(by, 'person');
    const { code } = await invitation();
    // Nor is there a word for one who sends no code.
    api.say('/id', stranger);
    for (let turn = 0; turn < 5; turn += 1) api.say(`/start WRONG${turn}`, stranger);
    await api.waitFor(() => api.messages(stranger).filter((message) => message.fromBot).length === 5);
    // Tried too often: the right one does not help any more.
    api.say(`/start ${code}`, stranger);
    await expect.poll(async () => JSON.stringify(await audited('telegram.refused'))).toContain('too_many_codes');
    expect((await invitation()).claim).toBeNull();
    expect(api.messages(stranger).filter((message) => message.fromBot)).toHaveLength(5);
    const refusals = JSON.stringify(await audited('telegram.refused'));
    expect(refusals).toContain('wrong_code');
    expect(refusals).not.toContain(code);
    api.say(`/start ${code.toLowerCase()}`, owner);
    expect(await claimed()).toBe(owner);
  });

  it('L201 for a person counts no more once it stood in a group', async () => {
    telegram().invite(by, 'person');
    const { code } = await invitation();
    api.say(`/start ${code}`, stranger, { chatId: group });
    await expect.poll(async () => (await view()).invitationEnded).toContain('where others can read it');
    api.say(`/start ${code}`, stranger);
    await expect.poll(async () => JSON.stringify(await audited('telegram.refused'))).toContain('"stranger"');
    expect((await view()).invitation).toBeNull();
    await expect(telegram().admit(by, stranger)).rejects.toThrow('not open any more');
    expect(await members()).toEqual([]);
  });

  it('L201 is taken from nobody but who sent it first, and only whom the owner saw is let in', async () => {
    telegram().invite(by, 'person');
    const { code } = await invitation();
    api.say(`/start ${code}`, stranger);
    expect(await claimed()).toBe(stranger);
    await expect(telegram().admit(by, owner)).rejects.toThrow('not open any more');
    telegram().cancelInvitation(by);
    await expect(telegram().admit(by, stranger)).rejects.toThrow('not open any more');
    telegram().invite(by, 'person');
    expect((await invitation()).code).not.toBe(code);
    api.say(`/start ${code}`, stranger);
    await expect.poll(async () => JSON.stringify(await audited('telegram.refused'))).toContain('wrong_code');
    expect(await members()).toEqual([]);
  });

  it('L197 that is forwarded or sent by a bot lets nobody in', async () => {
    telegram().invite(by, 'person');
    const { code } = await invitation();
    const chat = { id: owner, type: 'private', first_name: 'Owner' };
    const message = { message_id: 7, date: 1, chat, text: `/start ${code}` };
    api.push({ message: { ...message, from: { id: owner, is_bot: true, first_name: 'Bot' } } });
    const origin = { type: 'hidden_user', sender_user_name: 'Somebody', date: 1 };
    const from = { id: owner, is_bot: false, first_name: 'Owner' };
    api.push({ message: { ...message, from, forward_origin: origin } });
    await expect.poll(async () => JSON.stringify(await audited('telegram.refused'))).toContain('code_of_nobody');
    expect((await invitation()).claim).toBeNull();
  });

  it('M211 shows the name of who sent it with everything in it that would not be seen', async () => {
    telegram().invite(by, 'person');
    const { code } = await invitation();
    const chat = { id: stranger, type: 'private', first_name: 'x' };
    const first_name = `Owner\u202e\u200b${'y'.repeat(5000)}`;
    const from = { id: stranger, is_bot: false, first_name };
    api.push({ message: { message_id: 7, date: 1, chat, from, text: `/start ${code}` } });
    await claimed();
    const name = (await invitation()).claim?.name ?? [];
    expect(segmentText(name)).toMatch(/^Owner⟦U\+202E[^y]*⟦?/);
    expect(JSON.stringify(name)).not.toContain('\u202e');
    expect(segmentText(name).length).toBeLessThan(200);
  });
});

describe('the token', () => {
  it('is in no file, log line or audit event, and comes back from no view', async () => {
    await telegram().connect(by, api.token);
    await letIn(owner);
    api.trouble({ method: '*', times: 3, status: 'drop' });
    await ask('noise');
    await house.owner.status();
    const secret = api.token.split(':')[1] ?? '';
    expect(JSON.stringify([await view(), await house.owner.status()])).not.toContain(secret);
    expect(JSON.stringify(await house.owner.audit({ limit: 500 }))).not.toContain(secret);
    const files = readdirSync(house.dataDir, { withFileTypes: true, recursive: true }).filter((file) => file.isFile());
    expect(files.length).toBeGreaterThan(1);
    const forms = [secret, ...[0, 1, 2].map((shift) => base64Inside(secret, shift))];
    for (const file of files) {
      const bytes = readFileSync(join(file.parentPath, file.name));
      expect(
        forms.filter((form) => bytes.includes(form)),
        file.name,
      ).toEqual([]);
    }
    expect(logged.join('\n')).not.toContain(secret);
    expect(api.traffic()).not.toContain(secret);
  });

  it('of the environment wins, and then nothing can be changed', async () => {
    await telegram().connect(by, api.token);
    await letIn(owner);
    await house.stop();
    const other = await startBotApi();
    const env = { TELEGRAM_API_ROOT: other.root, TELEGRAM_BOT_TOKEN: other.token, TELEGRAM_CHAT_ID: '43,-1001' };
    await start(env);
    await connected();
    expect(await view()).toMatchObject({ source: 'environment', bot: null });
    expect(await members()).toEqual([second, group]);
    await expect(telegram().connect(by, api.token)).rejects.toThrow('set up by the environment');
    await expect(telegram().disconnect(by)).rejects.toThrow('set up by the environment');
    await expect(telegram().remove(by, second)).rejects.toThrow('set up by the environment');
    expect(() => telegram().invite(by, 'person')).toThrow('set up by the environment');
    await house.stop();
    await other.close();
    // What the owner had set up is still there when the environment is silent again.
    await start();
    await connected();
    expect(await members()).toEqual([owner]);
  });

  it('waits in a locked vault for the unlocking, and outlives the next lock', async () => {
    await telegram().connect(by, api.token);
    await letIn(owner);
    const id = await ask('before-the-night');
    await api.waitFor(() => last(owner, 'before-the-night'));
    await house.stop();
    await start({}, false);
    expect(await view()).toMatchObject({ source: 'window', connection: 'disconnected', bot: null });
    const status = await house.owner.status();
    expect(status.telegram).toBe('disconnected');
    expect(status.notes).toContain('Telegram starts when the vault is unlocked.');
    await expect(telegram().connect(by, api.token)).rejects.toThrow('locked');
    await house.owner.unlock(by, passphrase);
    await connected();
    expect(await members()).toEqual([owner]);
    house.owner.lock(by);
    expect(() => telegram().invite(by, 'person')).toThrow('locked');
    // The bot goes on; approving needs the vault, denying does not.
    await api.tap('❌ Deny', owner, { about: 'before-the-night' });
    await expect.poll(() => house.owner.requestDetail(id).status).toBe('denied');
    expect(api.messages(owner).filter((message) => message.text.includes('before-the-night'))).toHaveLength(1);
  });

  it('can be replaced while a card waits: the new bot shows it, and the old message has no buttons left', async () => {
    await telegram().connect(by, api.token);
    await letIn(owner);
    const id = await ask('moves-house');
    const old = await api.waitFor(() => last(owner, 'moves-house'));
    expect(old.buttons.flat().length).toBeGreaterThan(1);
    const token = api.addBot();
    await telegram().connect(by, token);
    await connected();
    expect(await members()).toEqual([owner]);
    await expect
      .poll(() => api.messages(owner).filter((message) => message.text.includes('moves-house')).length)
      .toBe(2);
    const messages = api.messages(owner).filter((message) => message.text.includes('moves-house'));
    expect(messages.map(({ buttons }) => buttons.flat().length > 0)).toEqual([false, true]);
    // The new bot knows that the old one's messages are not its own.
    expect(JSON.stringify(api.calls('editMessageText').map(({ answer }) => answer))).not.toContain("can't be edited");
    await api.tap('✅ Run Once', owner, { about: 'moves-house' });
    await expect.poll(() => house.owner.requestDetail(id).status).toBe('success');
    expect(await audited('telegram.token_replaced')).toHaveLength(1);
  });

  it('is forgotten when the owner disconnects, and the app goes on without it', async () => {
    await telegram().connect(by, api.token);
    await letIn(owner);
    const id = await ask('left-behind');
    await api.waitFor(() => last(owner, 'left-behind'));
    await telegram().disconnect(by);
    expect(last(owner, 'left-behind')?.buttons).toEqual([]);
    expect(await view()).toMatchObject({ source: 'none', members: [], connection: 'not_configured' });
    expect((await house.owner.status()).telegram).toBe('not_configured');
    expect(await audited('telegram.disconnected')).toHaveLength(1);
    await house.decide(id, 'deny');
    await house.stop();
    await start();
    expect(await view()).toMatchObject({ source: 'none' });
    expect(existsSync(house.dataDir)).toBe(true);
  });
});

describe('the stored set-up', () => {
  const oneBitOff = (store: Store): void => {
    const row = store.telegramSetup();
    const sealed = Buffer.from(row?.sealed ?? []);
    sealed[20] = (sealed[20] ?? 0) ^ 1;
    store.saveTelegramSetup({ version: row?.version ?? 0, sealed }, { actor: by, kind: 'x.y', payload: {} }, 1);
  };
  const ofAnotherTime = (store: Store): void => {
    const row = store.telegramSetup();
    const version = (row?.version ?? 0) + 1;
    store.saveTelegramSetup(
      { version, sealed: row?.sealed ?? Buffer.of() },
      { actor: by, kind: 'x.y', payload: {} },
      1,
    );
  };
  const nonsense = (store: Store): void => store.setSetting('telegram.setup', ['nonsense'], 'cli', 1);

  it.each([oneBitOff, ofAnotherTime, nonsense])(
    'that was changed on disk (%o) makes nobody an approver, and can be connected anew',
    async (change) => {
      await telegram().connect(by, api.token);
      await letIn(owner);
      await house.stop();
      const store = openStore({ dataDir: join(scratch, 'data'), log: silentLog });
      change(store);
      store.close();
      await start();
      expect(await members()).toEqual([]);
      expect((await house.owner.status()).notes.join()).toContain('cannot be read');
      await telegram().connect(by, api.token);
      await connected();
      expect(await view()).toMatchObject({ source: 'window', members: [] });
    },
  );
});

import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { Card } from '../../contract/card.ts';
import { CodedError } from '../../contract/errors.ts';
import type { ChatMessage } from '../../tests/support/botApiChats.ts';
import { cardCode, makeCard, plain } from '../../tests/support/cards.ts';
import { group, type House, owner, secondApprover, startHouse, stranger } from '../../tests/support/telegramHouse.ts';
import { describeChannel } from '../approvals/channel.contract.ts';
import { checkSecretValue } from '../core/secretRules.ts';

let house: House;
afterEach(() => house.stop());

const labels = (message: ChatMessage | undefined): string[][] =>
  message?.buttons.map((row) => row.map((button) => button.text)) ?? [];
const last = (chatId: number): ChatMessage | undefined => house.api.messages(chatId).at(-1);
const saidTo = (chatId: number, words: string): Promise<ChatMessage> =>
  house.api.waitFor(() => house.api.messages(chatId).find((message) => message.text.includes(words)));

async function open(change: Partial<Card> = {}): Promise<Card> {
  const card = house.handler.put(makeCard(change));
  await house.desk.open(card.subject, card.id);
  return card;
}

describe('a card', () => {
  it('is one message in every configured chat: facts, code, four buttons and View code', async () => {
    house = await startHouse();
    const card = house.handler.put(makeCard());
    expect(await house.desk.open('run', card.id)).toEqual({ reached: ['telegram'] });
    for (const chatId of [owner, group]) {
      expect(house.api.messages(chatId)).toHaveLength(1);
      expect(labels(last(chatId))).toEqual([
        ['✅ Run Once', '⏱ Trust 24h', '🔒 Always Trust', '❌ Deny'],
        ['📄 View code'],
      ]);
      expect(last(chatId)?.text).toContain('WEATHER_KEY → api.weather.example');
      expect(last(chatId)?.text).toContain('console.log(1)');
    }
  });

  it('runs once when that is pressed, and every chat then shows the outcome without buttons', async () => {
    house = await startHouse();
    const card = await open();
    expect(await house.api.tap('✅ Run Once', owner)).toEqual({ text: 'approved.', alert: false });
    expect(house.handler.decisions).toEqual([
      { subject: 'run', id: card.id, revision: 'rev-1', verdict: 'once', principal: 'telegram:42' },
    ]);
    for (const chatId of [owner, group]) {
      await house.api.waitFor(() => last(chatId)?.text.startsWith('✅ approved.'));
      expect(last(chatId)?.buttons).toEqual([]);
    }
  });

  it('is edited to the outcome when it was decided elsewhere', async () => {
    house = await startHouse();
    const card = await open();
    await house.desk.decide({ subject: 'run', id: card.id, revision: 'rev-1', verdict: 'deny', principal: 'desktop' });
    await house.api.waitFor(() => last(owner)?.text.startsWith('❌ denied.'));
    expect(last(owner)?.buttons).toEqual([]);
  });

  it('trusts for 24 hours, in a group too', async () => {
    house = await startHouse();
    await open();
    await house.api.tap('⏱ Trust 24h', owner, { chatId: group });
    expect(house.handler.decisions[0]).toMatchObject({ verdict: '24h', principal: 'telegram:42' });
  });

  it('trusts always only after a second step, from which one can go back', async () => {
    house = await startHouse();
    await open();
    await house.api.tap('🔒 Always Trust', owner);
    expect(labels(last(owner))).toEqual([['🔒 Confirm Always', '↩ Back']]);
    expect(house.handler.decisions).toEqual([]);
    await house.api.tap('↩ Back', owner);
    expect(labels(last(owner))[0]).toContain('✅ Run Once');
    await house.api.tap('🔒 Always Trust', owner);
    await house.api.tap('🔒 Confirm Always', owner);
    expect(house.handler.decisions[0]).toMatchObject({ verdict: 'forever', argsPolicy: 'exact' });
  });

  it('offers to trust any arguments as a choice of its own when the request has arguments', async () => {
    house = await startHouse();
    await open({ hasArgs: true, anyArgs: true });
    await house.api.tap('🔒 Always Trust', owner);
    await house.api.tap('🔒 Confirm Always, any arguments', owner);
    expect(house.handler.decisions[0]).toMatchObject({ verdict: 'forever', argsPolicy: 'any' });
  });

  it('about another subject has Approve and Deny', async () => {
    house = await startHouse({ subject: 'pairing' });
    const { code: _code, ...rest } = makeCard({ subject: 'pairing', id: 'pair_1', verdicts: ['approve', 'deny'] });
    house.handler.put(rest);
    await house.desk.open('pairing', 'pair_1');
    expect(labels(last(owner))).toEqual([['✅ Approve', '❌ Deny']]);
    await house.api.tap('✅ Approve', owner);
    expect(house.handler.decisions[0]).toMatchObject({ subject: 'pairing', verdict: 'approve' });
  });

  it('sends the code as a file when asked', async () => {
    house = await startHouse();
    await open();
    await house.api.tap('📄 View code', owner);
    const file = await house.api.waitFor(() => house.api.messages(owner).find((message) => message.document !== null));
    expect(file.document?.bytes.toString()).toBe('console.log(1)');
  });

  it('with a missing secret cannot be approved before it was added, from the card itself', async () => {
    house = await startHouse();
    const blocked = await open({ missingSecrets: ['WEATHER_KEY'], verdicts: ['deny'], revision: 'rev-1' });
    expect(labels(last(owner))).toEqual([['❌ Deny'], ['📄 View code'], ['🔑 Add WEATHER_KEY']]);
    await house.api.tap('🔑 Add WEATHER_KEY', owner);
    const question = await house.api.waitFor(() => house.api.messages(owner).find((message) => message.forceReply));
    house.api.say(randomBytes(20).toString('hex'), owner, { replyTo: question.messageId });
    await saidTo(owner, 'Stored WEATHER_KEY');
    house.handler.put({ ...blocked, missingSecrets: [], verdicts: ['once', 'deny'], revision: 'rev-2' });
    house.desk.refresh('run', blocked.id);
    await house.api.tap('✅ Run Once', owner);
    expect(house.handler.decisions[0]).toMatchObject({ revision: 'rev-2', verdict: 'once' });
  });

  it('asks for the binding of a secret as a step of its own', async () => {
    house = await startHouse();
    const unboundSecrets = [{ name: 'WEATHER_KEY', hosts: ['api.weather.example'] }];
    const card = await open({ unboundSecrets, verdicts: ['deny'] });
    await house.api.tap('🔗 Put WEATHER_KEY → api.weather.example', owner);
    expect(house.bound).toEqual([`${card.id} WEATHER_KEY api.weather.example telegram:42`]);
    expect(house.handler.decisions).toEqual([]);
  });

  it('does not bind a secret to other hosts than those on the pressed button', async () => {
    house = await startHouse({ chatIds: [owner] });
    const hostsAtFirst = [{ name: 'WEATHER_KEY', hosts: ['api.weather.example'] }];
    const card = await open({ unboundSecrets: hostsAtFirst, verdicts: ['deny'] });
    const shown = last(owner);
    const data = shown?.buttons.at(-1)?.[0]?.callback_data ?? '';
    house.handler.put({
      ...card,
      revision: 'rev-2',
      unboundSecrets: [{ name: 'WEATHER_KEY', hosts: ['evil.example'] }],
    });
    const answer = await house.api.tapData(data, owner, { chatId: owner, messageId: shown?.messageId ?? 0 });
    expect(answer.alert).toBe(true);
    expect(house.bound).toEqual([]);
  });

  it('says that it changed instead of deciding about what is no longer there', async () => {
    house = await startHouse();
    const card = await open();
    house.handler.put({ ...card, revision: 'rev-2', sentence: plain('Now something else.') });
    expect(await house.api.tap('✅ Run Once', owner)).toMatchObject({ alert: true });
    expect(house.handler.decisions).toEqual([]);
    await house.api.waitFor(() => last(owner)?.text.includes('Now something else.'));
    await house.api.tap('✅ Run Once', owner);
    expect(house.handler.decisions).toHaveLength(1);
  });

  it('keeps its buttons over a restart, and the message stays the same', async () => {
    house = await startHouse();
    await open();
    house = await house.restarted();
    await house.api.waitFor(() => last(owner)?.edits === 1);
    expect(house.api.messages(owner)).toHaveLength(1);
    await house.api.tap('✅ Run Once', owner);
    expect(house.handler.decisions).toHaveLength(1);
  });

  it('comes back when its message was deleted and the owner asks what waits', async () => {
    house = await startHouse({ chatIds: [owner] });
    await open();
    const first = last(owner);
    await fetch(`${house.api.root}/bot${house.api.token}/deleteMessage`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ chat_id: owner, message_id: first?.messageId }),
    });
    house.api.say('/pending', owner);
    await house.api.tap('✅ Run Once', owner);
    expect(house.handler.decisions).toHaveLength(1);
  });
});

describe('when Telegram fails', () => {
  it('waits as long as Telegram asks and delivers then', async () => {
    house = await startHouse({ chatIds: [owner] });
    house.api.trouble({ method: 'sendMessage', times: 1, status: 429, retryAfter: 1 });
    const card = house.handler.put(makeCard());
    const from = performance.now();
    expect(await house.desk.open('run', card.id)).toEqual({ reached: [] });
    await house.api.waitFor(() => last(owner)?.buttons.length === 2);
    expect(performance.now() - from).toBeGreaterThan(900);
    const place = { bot: house.api.botId, [`message ${owner}`]: last(owner)?.messageId };
    await house.api.waitFor(() => house.records.rows.length > 0);
    expect(house.records.rows[0]?.reference).toEqual(place);
  });

  it('leaves a chat alone that asked to slow down, with every card', async () => {
    house = await startHouse({ chatIds: [owner] });
    house.api.trouble({ method: 'sendMessage', times: 1, status: 429, retryAfter: 1 });
    await open();
    await open({ id: 'req_second' });
    expect(house.api.calls('sendMessage')).toHaveLength(1);
    await house.api.waitFor(() => house.api.messages(owner).length === 2);
  });

  it('ends without buttons when a card is closed while it is on its way', async () => {
    house = await startHouse({ chatIds: [owner] });
    const release = house.api.hold('sendMessage');
    const card = house.handler.put(makeCard());
    const showing = house.telegram.channel.show(card, null);
    const closing = house.telegram.channel.close(card, { kind: 'denied', text: 'Denied.' }, null);
    release();
    await Promise.all([showing, closing]);
    await house.api.waitFor(() => last(owner)?.text.startsWith('❌ Denied.'));
    expect(last(owner)?.buttons).toEqual([]);
  });

  it('tries again after an error of the server and after a dropped connection', async () => {
    house = await startHouse({ chatIds: [owner] });
    house.api.trouble({ method: 'sendMessage', times: 2, status: 502 });
    house.api.trouble({ method: 'sendMessage', times: 1, status: 'drop' });
    await open();
    await house.api.waitFor(() => last(owner)?.buttons.length === 2);
    expect(house.api.messages(owner)).toHaveLength(1);
  });

  it('edits to the outcome later when the edit failed', async () => {
    house = await startHouse({ chatIds: [owner] });
    await open();
    house.api.trouble({ method: 'editMessageText', times: 2, status: 500 });
    await house.api.tap('❌ Deny', owner);
    await house.api.waitFor(() => last(owner)?.text.startsWith('❌ denied.'));
  });

  it('reaches one chat when the bot is blocked in the other', async () => {
    house = await startHouse();
    house.api.blockChat(owner);
    const card = house.handler.put(makeCard());
    expect(await house.desk.open('run', card.id)).toEqual({ reached: ['telegram'] });
    expect(last(group)?.buttons).toHaveLength(2);
  });

  it('keeps polling after errors', async () => {
    house = await startHouse();
    house.api.trouble({ method: 'getUpdates', times: 2, status: 500 });
    house.api.trouble({ method: 'getUpdates', times: 1, status: 'drop' });
    house.api.say('/id', owner);
    await saidTo(owner, 'Your user id is 42');
  });

  it('says that the token is wrong, without the token anywhere', async () => {
    const token = `123456789:${randomBytes(26).toString('base64url').slice(0, 35)}`;
    house = await startHouse({ token });
    expect(await house.telegram.status()).toBe('disconnected');
    expect(house.telegram.problem).toContain('TELEGRAM_BOT_TOKEN');
    const card = house.handler.put(makeCard());
    expect(await house.desk.open('run', card.id)).toEqual({ reached: [] });
    expect(house.logged.length).toBeGreaterThan(0);
    expect(house.logged.join('\n')).not.toContain(token);
  });

  it('never logs the token when the network fails', async () => {
    house = await startHouse();
    await open();
    await house.api.close();
    await house.api.waitFor(() => house.logged.some((line) => line.includes('cannot be reached')));
    await house.desk.decide({
      subject: 'run',
      id: makeCard().id,
      revision: 'rev-1',
      verdict: 'deny',
      principal: 'desktop',
    });
    expect(house.logged.join('\n')).not.toContain(house.api.token);
  });

  it('never logs the token when something in between answers with a page', async () => {
    house = await startHouse();
    house.api.trouble({ method: '*', times: 3, status: 'page' });
    await house.api.waitFor(() => house.logged.some((line) => line.includes('cannot be reached')));
    expect(house.logged.join('\n')).not.toContain(house.api.token);
  });

  it('is connected again after an outage', async () => {
    house = await startHouse();
    expect(await house.telegram.status()).toBe('connected');
    house.api.trouble({ method: '*', times: 3, status: 500 });
    await house.api.waitFor(() => house.logged.some((line) => line.includes('answers with an error')));
    house.api.say('/id', owner);
    await saidTo(owner, 'Your user id is 42');
    expect(await house.telegram.status()).toBe('connected');
  });
});

describe('updates', () => {
  it('are not taken twice over a restart', async () => {
    house = await startHouse();
    house.api.say('/pause', owner);
    await saidTo(owner, 'Paused');
    house = await house.restarted();
    house.api.say('/id', owner);
    await saidTo(owner, 'Your user id is 42');
    house.api.repeat(2);
    await house.api.waitFor(() => house.records.events.length > 0);
    expect(house.owner.did).toEqual([]);
    const refused = { userId: owner, chatId: owner, what: 'update', reason: 'taken_before' };
    expect(house.records.events).toEqual([{ actor: 'telegram:42', kind: 'telegram.refused', payload: refused }]);
  });

  it('are taken when their ids start anew lower after a week of silence', async () => {
    house = await startHouse();
    house.api.restartIds(999_000_000);
    house.api.say('/pause', owner);
    await saidTo(owner, 'Paused');
    house = await house.restarted();
    house.clock.skewMs = 8 * 24 * 3600_000;
    house.api.trouble({ method: 'getUpdates', times: 1, status: 500 });
    house.api.restartIds(5);
    house.api.say('/resume', owner);
    await saidTo(owner, 'Resumed');
  });
});

describe('commands', () => {
  it('are registered, and each is in /help', async () => {
    house = await startHouse();
    const call = await house.api.waitFor(() => house.api.calls('setMyCommands')[0]);
    const names = JSON.stringify(call.payload).match(/"command":"\w+"/g) ?? [];
    expect(names).toHaveLength(14);
    house.api.say('/help', owner);
    const help = await saidTo(owner, 'Commands');
    for (const name of names) expect(help.text).toContain(`/${name.slice(11, -1)}`);
  });

  it('tell the id, also in a group and with the name of the bot', async () => {
    house = await startHouse();
    house.api.say('/id@OAuth3_test_bot', owner, { chatId: group });
    await saidTo(group, `The id of this chat is ${group}`);
  });

  it('for another bot are not ours', async () => {
    house = await startHouse();
    house.api.say('/pause@other_bot', owner, { chatId: group });
    house.api.say('/id', owner);
    await saidTo(owner, 'Your user id');
    expect(house.owner.did).toEqual([]);
  });

  it('list what waits and the secrets by name', async () => {
    house = await startHouse();
    await open();
    house.owner.stored.push({ name: 'WEATHER_KEY', value: 'not shown' });
    house.api.say('/pending', owner);
    await saidTo(owner, 'Waiting for you: 1');
    house.api.say('/list_secrets', owner);
    const secrets = await saidTo(owner, 'not bound yet');
    expect(secrets.text).toContain('WEATHER_KEY');
    expect(house.api.traffic()).not.toContain('not shown');
  });

  it('pass on what the owner side refuses, with its hint', async () => {
    house = await startHouse();
    house.owner.removeSecret = () => {
      throw new CodedError('not_found', 'There is no secret of that name.', { hint: 'See /secrets.' });
    };
    house.api.say('/delete_secret NOPE', owner);
    await saidTo(owner, 'There is no secret of that name. See /secrets.');
  });

  it('panic only after a question, which counts once', async () => {
    house = await startHouse();
    house.api.say('/panic', owner);
    const question = await saidTo(owner, 'Stop all runs');
    expect(house.owner.did).toEqual([]);
    const data = question.buttons[0]?.[0]?.callback_data ?? '';
    await house.api.tap('🛑 Stop everything', owner);
    await saidTo(owner, 'Done: 1 runs stopped');
    await house.api.tapData(data, owner, { chatId: owner, messageId: question.messageId });
    expect(house.owner.did).toEqual(['panic by telegram:42']);
  });

  it('panic is not confirmed by another approver, nor from another chat', async () => {
    house = await startHouse({ chatIds: [owner, secondApprover, group] });
    house.api.say('/panic', owner, { chatId: group });
    const question = await saidTo(group, 'Stop all runs');
    const data = question.buttons[0]?.[0]?.callback_data ?? '';
    await house.api.tap('🛑 Stop everything', secondApprover, { chatId: group });
    await house.api.tapData(data, owner, { chatId: owner, messageId: question.messageId });
    expect(house.owner.did).toEqual([]);
  });

  it('that nobody knows get a short answer', async () => {
    house = await startHouse();
    house.api.say('/approve req_1', owner);
    await saidTo(owner, 'Unknown command');
    house.api.say('hello', owner);
    await saidTo(owner, 'I understand commands only');
  });
});

describe('adding a secret', () => {
  const value = (): string => randomBytes(24).toString('base64url');

  it('asks for the value, deletes question and answer, and never repeats the value', async () => {
    house = await startHouse();
    const name = 'K'.repeat(128);
    const secret = value();
    house.api.say(`/add_secret ${name}`, owner);
    const question = await house.api.waitFor(() => house.api.messages(owner).find((message) => message.forceReply));
    const reply = house.api.say(secret, owner, { replyTo: question.messageId });
    await saidTo(owner, 'Stored');
    expect(house.owner.stored).toEqual([{ name, value: secret }]);
    expect(house.api.deleted(owner).map((message) => message.messageId)).toEqual(
      expect.arrayContaining([reply, question.messageId]),
    );
    expect(house.api.calls().filter((call) => JSON.stringify(call.payload).includes(secret))).toEqual([]);
    expect(house.logged.join('\n')).not.toContain(secret);
    expect(JSON.stringify([...house.records.states, ...house.records.events])).not.toContain(secret);
  });

  it('takes the value in the command too, deletes it and warns', async () => {
    house = await startHouse();
    const secret = value();
    const message = house.api.say(`/add_secret WEATHER_KEY ${secret}`, owner);
    await saidTo(owner, 'The value stood in your message');
    expect(house.owner.stored).toEqual([{ name: 'WEATHER_KEY', value: secret }]);
    expect(house.api.deleted(owner).map((gone) => gone.messageId)).toEqual([message]);
  });

  it('does not store a value that was sent into a group, and deletes it', async () => {
    house = await startHouse();
    const message = house.api.say(`/add_secret WEATHER_KEY ${value()}`, owner, { chatId: group });
    await saidTo(group, 'private chat only');
    expect(house.owner.stored).toEqual([]);
    expect(house.api.deleted(group).map((gone) => gone.messageId)).toEqual([message]);
  });

  it('still knows its question after a restart', async () => {
    house = await startHouse();
    house.api.say('/add_secret WEATHER_KEY', owner);
    const question = await house.api.waitFor(() => house.api.messages(owner).find((message) => message.forceReply));
    await house.api.waitFor(() => house.records.states.has('telegram.prompts'));
    house = await house.restarted();
    house.api.say(value(), owner, { replyTo: question.messageId });
    await saidTo(owner, 'Stored WEATHER_KEY');
  });

  it('does not take an answer that comes too late, but deletes it', async () => {
    house = await startHouse();
    house.api.say('/add_secret WEATHER_KEY', owner);
    const question = await house.api.waitFor(() => house.api.messages(owner).find((message) => message.forceReply));
    await house.api.waitFor(() => house.records.states.has('telegram.prompts'));
    house.clock.skewMs = 11 * 60_000;
    const reply = house.api.say(value(), owner, { replyTo: question.messageId });
    await saidTo(owner, 'too old');
    expect(house.owner.stored).toEqual([]);
    expect(house.api.deleted(owner).map((gone) => gone.messageId)).toContain(reply);
  });

  it('deletes a text that was sent beside the question instead of as a reply', async () => {
    house = await startHouse();
    house.api.say('/add_secret WEATHER_KEY', owner);
    await house.api.waitFor(() => house.records.states.has('telegram.prompts'));
    const stray = house.api.say(value(), owner);
    await saidTo(owner, 'only counts as a reply');
    expect(house.owner.stored).toEqual([]);
    expect(house.api.deleted(owner).map((gone) => gone.messageId)).toContain(stray);
  });

  it('does not take a reply in a group that answers a message of the same number', async () => {
    house = await startHouse();
    house.api.say('/add_secret WEATHER_KEY', owner);
    const question = await house.api.waitFor(() => house.api.messages(owner).find((message) => message.forceReply));
    await house.api.waitFor(() => house.records.states.has('telegram.prompts'));
    house.api.say(value(), owner, { chatId: group, replyTo: question.messageId });
    house.api.say('/id', owner);
    await saidTo(owner, 'Your user id');
    expect(house.owner.stored).toEqual([]);
  });

  it('does not take the reply of another approver', async () => {
    house = await startHouse({ chatIds: [owner, secondApprover] });
    house.api.say('/add_secret WEATHER_KEY', owner);
    const question = await house.api.waitFor(() => house.api.messages(owner).find((message) => message.forceReply));
    house.api.say(value(), secondApprover, { replyTo: question.messageId });
    await saidTo(secondApprover, 'I understand commands only');
    expect(house.owner.stored).toEqual([]);
  });

  it('refuses a reserved name before it asks', async () => {
    house = await startHouse();
    house.api.say('/add_secret LD_PRELOAD', owner);
    await saidTo(owner, 'steers the runtime');
    expect(house.api.messages(owner).some((message) => message.forceReply)).toBe(false);
  });

  it('says why a value is refused', async () => {
    house = await startHouse();
    const verdict = checkSecretValue('content-type');
    const reason = verdict.ok ? '' : verdict.reason;
    house.owner.refuse = new CodedError('invalid_request', reason);
    house.api.say('/add_secret WEATHER_KEY content-type', owner);
    await saidTo(owner, 'made of common words');
  });

  it('shows nothing of a defect', async () => {
    house = await startHouse();
    const secret = value();
    house.owner.refuse = new Error(`cannot store ${secret}`);
    house.api.say(`/add_secret WEATHER_KEY ${secret}`, owner);
    await saidTo(owner, 'Not stored because of a defect');
    expect(house.logged.join('\n')).not.toContain(secret);
  });
});

describe('without an approver', () => {
  it('tells anybody the id that has to be configured, and does nothing else', async () => {
    house = await startHouse({ chatIds: [] });
    house.api.say('/pause', stranger);
    house.api.say('/id', stranger);
    await saidTo(stranger, 'Your user id is 99');
    expect(house.owner.did).toEqual([]);
    expect(house.api.messages(stranger).filter((message) => message.fromBot)).toHaveLength(1);
    expect(house.telegram.problem).toContain('no approver');
  });
});

it('tells every chat a notice', async () => {
  house = await startHouse();
  await house.telegram.notice('Secret WEATHER_KEY was bound to api.weather.example (from the command line).');
  expect(last(owner)?.text).toContain('was bound');
  expect(last(group)?.text).toContain('was bound');
});

it('shows the code of a long line as it is', async () => {
  house = await startHouse({ chatIds: [owner] });
  await open({ code: cardCode(`const x = "${'y'.repeat(2000)}";`, 'b'.repeat(64)) });
  expect(last(owner)?.text).toContain('y'.repeat(2000));
});

describeChannel('Telegram', async () => {
  const local = await startHouse({ chatIds: [owner] });
  // The bodies of the other tests look at `house`; here each test has its own.
  house = local;
  return {
    channel: local.telegram.channel,
    look: async () => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      const messages = local.api.messages(owner);
      const withButtons = messages.filter((message) => message.buttons.length > 0).length;
      return { shown: messages.length, withButtons, text: messages.map((message) => message.text).join('\n') };
    },
    cut: () => {
      local.api.trouble({ method: 'sendMessage', times: 1000, status: 500 });
      local.api.trouble({ method: 'editMessageText', times: 1000, status: 500 });
    },
    restore: () => local.api.endTroubles(),
    dispose: async () => {},
  };
});

import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { Card } from '../../contract/card.ts';
import { toCodeLines, toSegments } from '../../main/core/display.ts';
import type { ChatMessage } from '../support/botApiChats.ts';
import { makeCard, plain } from '../support/cards.ts';
import {
  group,
  type House,
  otherGroup,
  owner,
  secondApprover,
  startHouse,
  stranger,
} from '../support/telegramHouse.ts';

let house: House;
afterEach(() => house.stop());

const lastCard = (chatId: number): ChatMessage => {
  const found = house.api.messages(chatId).findLast((message) => message.fromBot && message.buttons.length > 0);
  if (found === undefined) throw new Error(`no card in chat ${chatId}`);
  return found;
};

const dataOf = (message: ChatMessage, label: string): string => {
  const data = message.buttons.flat().find((button) => button.text === label)?.callback_data;
  if (data === undefined) throw new Error(`no button ${label}`);
  return data;
};

async function open(change: Partial<Card> = {}): Promise<Card> {
  const card = house.handler.put(makeCard(change));
  await house.desk.open(card.subject, card.id);
  return card;
}

const reasons = (): readonly unknown[] =>
  house.records.events.map((event) => {
    const { payload } = event;
    return typeof payload === 'object' && payload !== null && 'reason' in payload ? payload.reason : payload;
  });

/** Everything that was said before this was taken. */
async function fence(): Promise<void> {
  const before = house.api.messages(owner).length;
  house.api.say('/id', owner);
  await house.api.waitFor(() => house.api.messages(owner).length >= before + 2);
}

function codeCard(code: string): Partial<Card> {
  const sha256 = createHash('sha256').update(code).digest('hex');
  const bytes = Buffer.byteLength(code);
  return { code: { sha256, bytes, language: 'javascript', lines: toCodeLines(code) } };
}

describe('who may answer', () => {
  it('L196 nothing is decided when nobody answers or nothing can be delivered', async () => {
    house = await startHouse();
    house.api.trouble({ method: 'sendMessage', times: 1000, status: 500 });
    const card = house.handler.put(makeCard());
    expect(await house.desk.open('run', card.id)).toEqual({ reached: [] });
    expect(house.handler.decisions).toEqual([]);
    expect(house.desk.waiting()).toHaveLength(1);
  });

  it('L197 not another member of the group, who is told and audited while the card stays', async () => {
    house = await startHouse();
    const card = await open();
    const answer = await house.api.tap('✅ Run Once', stranger, { chatId: group });
    expect(answer).toEqual({ text: 'Only the owner of this app may answer this.', alert: true });
    expect(house.handler.decisions).toEqual([]);
    expect(lastCard(group).buttons).toHaveLength(2);
    expect(house.records.events).toContainEqual({
      actor: `telegram:${stranger}`,
      kind: 'telegram.refused',
      payload: { userId: stranger, chatId: group, what: 'button', reason: 'stranger' },
    });
    expect(house.desk.card('run', card.id)).not.toBeNull();
  });

  it('L197 not an approver from a chat that was not configured', async () => {
    house = await startHouse();
    await open();
    const data = dataOf(lastCard(owner), '✅ Run Once');
    await house.api.tapData(data, owner, { chatId: otherGroup, messageId: 1 });
    expect(house.handler.decisions).toEqual([]);
    expect(reasons()).toContain('other_chat');
  });

  it('L197 not an approver in the private chat of another approver', async () => {
    house = await startHouse({ chatIds: [owner, secondApprover] });
    await open();
    const card = lastCard(secondApprover);
    await house.api.tapData(dataOf(card, '✅ Run Once'), owner, { chatId: secondApprover, messageId: card.messageId });
    expect(house.handler.decisions).toEqual([]);
    expect(reasons()).toContain('other_chat');
  });

  it('L197 not an update without a sender, without a message, or from a bot', async () => {
    house = await startHouse();
    await open();
    const data = dataOf(lastCard(owner), '✅ Run Once');
    const chat = { id: owner, type: 'private' };
    const message = { message_id: lastCard(owner).messageId, date: 0, chat };
    house.api.push({ callback_query: { id: '1', chat_instance: '1', data, message } });
    house.api.push({ callback_query: { id: '2', chat_instance: '1', data, from: { id: owner, is_bot: false } } });
    house.api.push({
      callback_query: { id: '3', chat_instance: '1', data, from: { id: owner, is_bot: true }, message },
    });
    await fence();
    expect(house.handler.decisions).toEqual([]);
    expect(reasons()).toEqual(expect.arrayContaining(['no_sender', 'bot']));
  });

  it('L197 no command of a stranger, who hears nothing at all', async () => {
    house = await startHouse();
    for (const text of ['/start', '/id', '/panic', '/secrets', '/add_secret X 12345678abc', 'hello']) {
      house.api.say(text, stranger);
      house.api.say(text, stranger, { chatId: group });
    }
    await fence();
    expect(house.owner.did).toEqual([]);
    expect(house.owner.stored).toEqual([]);
    expect(house.api.messages(stranger).filter((message) => message.fromBot)).toEqual([]);
    expect(house.api.messages(group).filter((message) => message.fromBot)).toEqual([]);
    expect(reasons()).toEqual(['stranger', 'stranger']);
  });

  it('L197 no forwarded command of somebody else, though an approver forwarded it', async () => {
    house = await startHouse();
    const from = { id: owner, is_bot: false, first_name: 'Owner' };
    const chat = { id: owner, type: 'private', first_name: 'Owner' };
    const forward_origin = { type: 'hidden_user', date: 1, sender_user_name: 'x' };
    const entities = [{ type: 'bot_command', offset: 0, length: 7 }];
    house.api.push({ message: { message_id: 5, date: 1, from, chat, text: '/revoke all', entities, forward_origin } });
    await fence();
    expect(house.owner.did).toEqual([]);
    expect(reasons()).toContain('forwarded');
  });

  it('L202 not somebody who learned a valid button from the traffic of the bot', async () => {
    house = await startHouse();
    await open();
    const card = lastCard(owner);
    const data = dataOf(card, '✅ Run Once');
    await house.api.tapData(data, stranger, { chatId: owner, messageId: card.messageId });
    await house.api.tapData(data, stranger, { chatId: stranger, messageId: 1 });
    expect(house.handler.decisions).toEqual([]);
  });
});

describe('what a button is', () => {
  it('L199 an opaque nonce of at most 64 bytes, another one for each button, chat and time', async () => {
    house = await startHouse();
    const card = await open({ missingSecrets: ['K'.repeat(128)] });
    await house.desk.refresh('run', card.id);
    const seen = [owner, group].flatMap((chatId) =>
      lastCard(chatId)
        .buttons.flat()
        .map((b) => b.callback_data ?? ''),
    );
    expect(new Set(seen).size).toBe(seen.length);
    for (const data of seen) expect(data).toMatch(/^[A-Za-z0-9_-]{32}$/);
    expect(seen.join()).not.toContain(card.id);
  });

  it('L199 nothing that a presser made up', async () => {
    house = await startHouse();
    const card = await open();
    const shown = lastCard(owner);
    const real = dataOf(shown, '❌ Deny');
    const forged = [
      `approve:${card.id}`,
      `once`,
      `${real}0`,
      real.slice(0, -1),
      real.toUpperCase(),
      'A'.repeat(32),
      '__proto__',
      "' OR 1=1 --",
      '\u0000',
    ];
    for (const data of forged) {
      const answer = await house.api.tapData(data, owner, { chatId: owner, messageId: shown.messageId });
      expect(answer.text).toBe('This button has expired.');
    }
    expect(house.handler.decisions).toEqual([]);
    expect(reasons()).toContain('unknown_button');
    expect(lastCard(owner).messageId).toBe(shown.messageId);
  });

  it('L199 counts in its own chat only: a card forwarded into another chat is dead there', async () => {
    house = await startHouse();
    await open();
    const data = dataOf(lastCard(owner), '✅ Run Once');
    const answer = await house.api.tapData(data, owner, { chatId: group, messageId: lastCard(group).messageId });
    expect(answer.text).toBe('This button has expired.');
    expect(house.handler.decisions).toEqual([]);
    expect(reasons()).toContain('button_of_another_chat');
  });

  it('L199 decides about its own request only, whichever message it is sent under', async () => {
    house = await startHouse();
    await open();
    const first = lastCard(owner);
    await open({ id: 'req_second' });
    const deny = dataOf(lastCard(owner), '❌ Deny');
    await house.api.tapData(deny, owner, { chatId: owner, messageId: first.messageId });
    expect(house.handler.decisions).toMatchObject([{ id: 'req_second', verdict: 'deny' }]);
  });

  it('L185 counts once, though it is pressed twice at once and from two chats', async () => {
    house = await startHouse();
    await open();
    const [here, there] = [lastCard(owner), lastCard(group)];
    const presses = [
      house.api.tapData(dataOf(here, '✅ Run Once'), owner, { chatId: owner, messageId: here.messageId }),
      house.api.tapData(dataOf(here, '✅ Run Once'), owner, { chatId: owner, messageId: here.messageId }),
      house.api.tapData(dataOf(there, '❌ Deny'), owner, { chatId: group, messageId: there.messageId }),
    ];
    const answers = await Promise.all(presses);
    expect(answers.map((answer) => answer.text)).toEqual(['approved.', 'approved.', 'approved.']);
    expect(house.handler.decisions[0]).toMatchObject({ verdict: 'once' });
  });

  it('L200 does nothing after its request ended, says how, and leaves its message', async () => {
    house = await startHouse();
    const card = await open();
    const shown = lastCard(owner);
    const old = dataOf(shown, '✅ Run Once');
    const outcome = { kind: 'cancelled', text: 'Cancelled by its agent.' } as const;
    house.handler.end(card.id, outcome);
    house.desk.ended('run', card.id, outcome);
    const answer = await house.api.tapData(old, owner, { chatId: owner, messageId: shown.messageId });
    expect(answer).toEqual({ text: 'Cancelled by its agent.', alert: true });
    await house.api.waitFor(() => house.api.messages(owner).every((message) => message.buttons.length === 0));
    await house.api.waitFor(() => house.records.nonces.size === 0);
    const later = await house.api.tapData(old, owner, { chatId: owner, messageId: shown.messageId });
    expect(later.text).toBe('Cancelled by its agent.');
  });

  it('L200 does nothing after a restart that forgot the request, and its message loses the buttons', async () => {
    house = await startHouse();
    const card = await open();
    const shown = lastCard(owner);
    const outcome = { kind: 'expired', text: 'Nobody answered in time.' } as const;
    house.handler.end(card.id, outcome);
    house = await house.restarted();
    const answer = await house.api.tap('✅ Run Once', owner);
    expect(answer).toEqual({ text: 'Nobody answered in time.', alert: true });
    const left = house.api.messages(owner).find((message) => message.messageId === shown.messageId);
    expect(left?.buttons).toEqual([]);
    expect(left?.text).toContain('Nobody answered in time.');
  });

  it('L200 says how its request ended, though the message could not be edited before a restart', async () => {
    house = await startHouse({ chatIds: [owner] });
    const card = await open();
    house.api.trouble({ method: 'editMessageText', times: 1000, status: 500 });
    await house.desk.decide({ subject: 'run', id: card.id, revision: 'rev-1', verdict: 'deny', principal: 'desktop' });
    await house.api.waitFor(() => house.api.calls('editMessageText').length > 1);
    house = await house.restarted();
    house.api.endTroubles();
    expect((await house.api.tap('✅ Run Once', owner)).text).toBe('denied.');
  });

  it('L200 is of no use once the nonces are gone from the database', async () => {
    house = await startHouse();
    const card = await open();
    house.handler.end(card.id, { kind: 'expired', text: 'Expired.' });
    house.records.nonces.clear();
    house = await house.restarted();
    expect((await house.api.tap('✅ Run Once', owner)).text).toBe('This button has expired.');
    expect(house.api.messages(owner).every((message) => message.buttons.length === 0)).toBe(true);
  });

  it('L203 does nothing when Telegram delivers the same update again', async () => {
    house = await startHouse();
    await open();
    await house.api.tap('🔒 Always Trust', owner);
    await house.api.tap('↩ Back', owner);
    await house.api.tap('❌ Deny', owner);
    house.api.repeat(3);
    await fence();
    expect(house.handler.decisions).toHaveLength(1);
    expect(reasons()).toContain('taken_before');
  });

  it('L204 is followed while another message of the owner is still being answered', async () => {
    house = await startHouse();
    let finish = (): void => {};
    const status = house.owner.status.bind(house.owner);
    house.owner.status = async () => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return status();
    };
    await open();
    house.api.say('/health', owner);
    expect((await house.api.tap('✅ Run Once', owner)).text).toBe('approved.');
    finish();
  });
});

describe('what a card shows', () => {
  const longCode = `${Array.from({ length: 400 }, (_, line) => `const line${line} = ${line};`).join('\n')}\n`;

  it('M213 the whole of a longer code as a file with its hash, before there is any button', async () => {
    house = await startHouse({ chatIds: [owner] });
    const card = await open(codeCard(longCode));
    const [file, message] = house.api.messages(owner);
    expect(file?.document?.bytes.toString()).toBe(longCode);
    expect(
      createHash('sha256')
        .update(file?.document?.bytes ?? '')
        .digest('hex'),
    ).toBe(card.code?.sha256);
    expect(file?.text).toContain(card.code?.sha256);
    expect(file?.buttons).toEqual([]);
    expect(message?.text).toContain(card.code?.sha256);
    expect(message?.buttons[0]).toHaveLength(4);
    expect(message?.replyTo).toBe(file?.messageId);
    const order = house.api.calls().map((call) => call.method);
    expect(order.indexOf('sendDocument')).toBeLessThan(order.indexOf('sendMessage'));
  });

  it('M213 no buttons at all while the file cannot be sent', async () => {
    house = await startHouse({ chatIds: [owner] });
    house.api.trouble({ method: 'sendDocument', times: 3, status: 500 });
    const card = house.handler.put(makeCard(codeCard(longCode)));
    expect(await house.desk.open('run', card.id)).toEqual({ reached: [] });
    const buttonsBefore = house.api.calls('sendMessage').length;
    await house.api.waitFor(() => house.api.messages(owner).length === 2);
    expect(buttonsBefore).toBe(0);
  });

  it('M213 never a part of the code: just under the limit it is whole, just over it is a file', async () => {
    house = await startHouse({ chatIds: [owner] });
    await open({ id: 'req_short', ...codeCard('x'.repeat(3000)) });
    expect(lastCard(owner).text).toContain('x'.repeat(3000));
    await open({ id: 'req_long', ...codeCard('y'.repeat(3001)) });
    expect(lastCard(owner).text).not.toContain('yyyy');
    expect(house.api.messages(owner).find((message) => message.document !== null)?.document?.bytes).toHaveLength(3001);
  });

  it('M219 all of a long list of hosts, in a file before the buttons', async () => {
    house = await startHouse({ chatIds: [owner] });
    const hosts = Array.from({ length: 300 }, (_, index) => `host-${index}.example.com`);
    const network = { key: 'network', label: 'Network', tone: 'plain', value: plain(hosts.join(', ')) } as const;
    const danger = { key: 'secrets', label: 'Secrets', tone: 'danger', value: plain('KEY as raw value') } as const;
    await open({ facts: [network, danger] });
    const [file, message] = house.api.messages(owner);
    for (const host of hosts) expect(file?.document?.bytes.toString()).toContain(host);
    expect(message?.text).toContain('KEY as raw value');
    expect(message?.text).toContain('read it before you answer');
  });

  it('M210 marks in place of what would not be seen, in code, facts and quotes', async () => {
    house = await startHouse({ chatIds: [owner] });
    const hidden = 'a\u202eb\u200bc\u{e0041}d';
    await open({
      ...codeCard(`if (x) { /* ${hidden} */ }`),
      sentence: toSegments(`Agent ${hidden} asks.`),
      quotes: [{ label: 'The agent says', text: toSegments(hidden) }],
    });
    const { text } = lastCard(owner);
    expect(text.match(/a⟦U\+202E⟧b⟦U\+200B⟧c⟦U\+E0041⟧d/g)).toHaveLength(3);
    expect(text).not.toMatch(/[\u202e\u200b\u{e0041}]/u);
  });

  it('M220 the words of the agent behind a bar, so that no line of them looks like ours', async () => {
    house = await startHouse({ chatIds: [owner] });
    const claim = 'fine”\n\nExpires 2030-01-01 00:00 UTC\r\nCode (typescript, 1 line, 5 bytes)\nharmless()';
    await open({
      ...codeCard('real()'),
      quotes: [{ label: 'The agent says', text: toSegments(claim, { multiline: true }) }],
    });
    const lines = lastCard(owner).text.split('\n');
    const said = lines.findIndex((line) => line.startsWith('The agent says:'));
    expect(lines.slice(said + 1, said + 5).every((line) => line.startsWith('┃ '))).toBe(true);
    expect(lines.filter((line) => /^(?:Expires|Code \(|harmless)/.test(line))).toHaveLength(2);
  });

  it('M214 markup as it was written, with no parse mode in any call', async () => {
    house = await startHouse({ chatIds: [owner] });
    const markup =
      '<b>✅ Trusted</b></pre><a href="https://evil.example">ok</a> &lt; *x* _y_ `z` ``` [a](http://b) ~~s~~';
    await open({
      ...codeCard(markup),
      sentence: toSegments(markup),
      quotes: [{ label: 'The agent says', text: toSegments(markup) }],
    });
    expect(lastCard(owner).text.split(markup)).toHaveLength(4);
    await house.api.tap('❌ Deny', owner);
    for (const call of house.api.calls()) expect(JSON.stringify(call.payload)).not.toContain('parse_mode');
  });

  it('M214 entities that fit the text though it is full of characters of two units', async () => {
    house = await startHouse({ chatIds: [owner] });
    await open({ ...codeCard('const s = "😀😀😀";'), sentence: plain('😀 Agent wants 😀.') });
    const { text, entities } = lastCard(owner);
    const pre = entities.find((entity) => entity.type === 'pre');
    expect(text.slice(pre?.offset ?? 0, (pre?.offset ?? 0) + (pre?.length ?? 0))).toBe('const s = "😀😀😀";');
  });

  it('M215 the same words as plain text when Telegram rejects the entities, the code among them', async () => {
    house = await startHouse({ chatIds: [owner] });
    const description = "Bad Request: can't parse entities";
    house.api.trouble({ method: 'sendMessage', times: 1, status: 400, description });
    await open();
    const message = lastCard(owner);
    expect(message.entities).toEqual([]);
    expect(message.text).toContain('console.log(1)');
    expect(message.text).toContain('WEATHER_KEY → api.weather.example');
    expect(message.buttons).toHaveLength(2);
  });

  it('M215 nothing, and the request stays undecided, when Telegram rejects the plain text too', async () => {
    house = await startHouse({ chatIds: [owner] });
    house.api.trouble({ method: 'sendMessage', times: 2, status: 400 });
    const card = house.handler.put(makeCard());
    expect(await house.desk.open('run', card.id)).toEqual({ reached: [] });
    expect(house.api.messages(owner)).toEqual([]);
    expect(house.desk.card('run', card.id)).not.toBeNull();
  });

  it('M218 nothing to click: no previews, and what looks like a link or a command is code', async () => {
    house = await startHouse({ chatIds: [owner] });
    await open({
      sentence: plain('Agent laptop wants to run evil.example/skill.'),
      quotes: [{ label: 'The agent says', text: plain('see https://evil.example/x and @someone or /panic') }],
    });
    const { text, entities } = lastCard(owner);
    const inCode = entities.filter((entity) => ['code', 'pre'].includes(entity.type));
    for (const found of text.matchAll(/evil\.example|@someone|\/panic|api\.weather\.example/g)) {
      const covered = inCode.some((e) => e.offset <= found.index && found.index < e.offset + e.length);
      expect(covered, found[0]).toBe(true);
    }
    for (const call of house.api.calls('sendMessage')) {
      expect(call.payload.link_preview_options).toEqual({ is_disabled: true });
    }
  });
});

import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Card } from '../../contract/card.ts';
import { silentLog } from '../../main/core/log.ts';
import { segmentText } from '../../main/core/segmentText.ts';
import { Invitations } from '../../main/telegram/invitations.ts';
import { Telegram } from '../../main/telegram/telegram.ts';
import { type AgentHouse, emptyResult, field, startAgentHouse } from '../support/agentHouse.ts';
import { type BotApi, startBotApi } from '../support/botApi.ts';
import {
  approved,
  type Body,
  base64,
  blank,
  code,
  metadata,
  payload,
  plantedChanges,
} from '../support/plantedChanges.ts';
import { FakeOwner } from '../support/telegramHouse.ts';

// An approved skill comes back with something planted into it: the first screen of its card names it, in the window (the
// list of changes, which stands above everything else) and in Telegram (in the message itself, before any file).

const ownerId = 42;
let house: AgentHouse;
let bot: BotApi;
let telegram: Telegram;
let token: string;

beforeEach(async () => {
  house = await startAgentHouse({ channels: ['window'] });
  house.world.runtimes.add('node');
  house.runs.answer = emptyResult;
  house.addSecret('OPENAI_API_KEY', ['api.openai.com']);
  house.addSecret('GITHUB_TOKEN', ['api.openai.com']);
  token = house.addAgent('home-agent').token;
  bot = await startBotApi();
  const { clock, desk, store: records } = house;
  telegram = new Telegram(
    { token: bot.token, chatIds: [ownerId], apiRoot: bot.root },
    {
      desk,
      owner: new FakeOwner(),
      confirmBinding: () => {},
      records,
      clock,
      random: randomBytes,
      log: silentLog,
      invitations: new Invitations({ clock, random: randomBytes, changed: () => {} }),
      changed: () => {},
    },
  );
  house.desk.addChannel(telegram.channel);
  telegram.start();
});
afterEach(async () => {
  await telegram.stop();
  await bot.close();
  await house.end();
});

async function ask(body: Body): Promise<Card> {
  const answer = await house.call('POST', '/execute', { token, body: { skill_id: 'models', ...body } });
  const card = house.desk.card('run', field(answer, 'request_id'));
  if (card === null) throw new Error(`no card: ${answer.text}`);
  return card;
}

/** The card of the skill after something was planted into what the owner had approved, and its message. */
async function planted(change: Partial<Body>): Promise<Readonly<{ card: Card; message: string }>> {
  const first = await ask(approved);
  await house.press(first.id, 'once');
  const card = await ask({ ...approved, ...change });
  const message = await bot.waitFor(() =>
    bot.messages(ownerId).findLast(({ text, buttons }) => text.includes('New:') && buttons.length > 0),
  );
  return { card, message: message.text };
}

const said = (card: Card): readonly string[] =>
  card.changes.map(({ severity, text }) => `${severity}: ${segmentText(text)}`);

describe('a change planted into an approved skill is named on the first screen of the card', () => {
  it.each(plantedChanges)('%s', async (_what, change, expected) => {
    const { card, message } = await planted(change);
    for (const sentence of expected) {
      expect(said(card)).toContainEqual(sentence);
      expect(message).toContain(sentence.replace(/^\w+: /, ''));
    }
  });

  it('all of them at once, the worst first', async () => {
    const { card, message } = await planted({
      code: `${code.replace('// Asks', '// \u202eAsks')}eval(atob('${base64}'));\n${blank}${payload}\n`,
      secrets: ['GITHUB_TOKEN'],
      args: { to: 'thief@example.net' },
      metadata: { network: ['api.openai.com', 'api.opena1.com', 'collect.example.com'], timeout: 600, runtime: 'node' },
    });
    const severities = card.changes.map(({ severity }) => severity);
    expect(severities).toEqual(
      [...severities].sort((left, right) => 'danger warn info'.indexOf(left) - 'danger warn info'.indexOf(right)),
    );
    for (const { text } of card.changes) expect(message).toContain(segmentText(text));
    expect(card.changes.length).toBeGreaterThanOrEqual(9);
  });

  it('and a change of words alone is no alarm', async () => {
    const { card } = await planted({ code: code.replace('which models', 'what models') });
    expect(said(card)).toEqual([expect.stringMatching(/^warn: the code changed/)]);
    expect(card.earlier?.lines.map(segmentText).join('\n')).toBe(code);
  });

  it('a first request towards a look-alike of a host that its secret is bound to is named as well', async () => {
    const card = await ask({ ...approved, ...metadata({ network: ['api.openai.com.elsewhere.net'] }) });
    expect(said(card)).toEqual(['danger: the host api.openai.com.elsewhere.net looks like api.openai.com and is not']);
  });
});

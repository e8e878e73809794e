import { z } from 'zod';
import { runScript } from '../setup/checkout.ts';
import { exampleRequest, inLanguage, languages, makeAgent } from './agent.ts';
import { engineUrl } from './engine.ts';
import { type House, OWNER, openHouse } from './house.ts';
import { chapter, check, quote, tell } from './tell.ts';

/**
 * `npm run demo [-- --docker]`: the whole main job with the real app and nothing outside this machine; with `--docker` in
 * containers, in Deno, Node and Python.
 */
const inContainers = process.argv.includes('--docker');

await runScript(async () => {
  chapter(1, 'The app starts');
  tell('A throw-away data folder, a local service that plays api.openai.com, a local Telegram server, the real app.');
  const house = await openHouse(inContainers ? await engineUrl() : null);
  try {
    if (inContainers) await showImages(house);
    await show(house);
    if (inContainers) await showLanguages(house);
  } finally {
    await house.close();
  }
  tell(
    process.exitCode === 1
      ? '\nSomething above did not hold.'
      : '\nThat was all of it: seen, decided, run, and the key never went in.',
  );
  return process.exitCode === 1 ? 1 : 0;
});

async function show(house: House): Promise<void> {
  const { bot, api, key } = house;

  chapter(2, 'The owner adds a secret and an agent');
  const { token } = z.object({ token: z.string() }).parse(await house.oauth3(['agent', 'add', 'home-agent']));
  await house.oauth3(['secret', 'add', 'OPENAI_API_KEY'], key);
  tell('The agent gets a token for the bridge. The key goes into the vault, encrypted.');
  const agent = makeAgent(house.url, token);

  chapter(3, 'The agent asks');
  const asked = await agent.execute(exampleRequest);
  tell(`POST /execute answers ${asked.http} ${asked.status}: ${asked.message}`);
  const requestId = asked.request_id ?? '';

  chapter(4, 'The owner sees one card in Telegram, and taps');
  const card = await bot.waitFor(() => bot.messages(OWNER).find((message) => message.buttons.length > 0));
  quote(card.text);
  tell(
    `   buttons: ${card.buttons
      .flat()
      .map((button) => button.text)
      .join('   ')}`,
  );
  check('the card shows the code, whole', card.text.includes("fetch('https://api.openai.com/v1/chat/completions'"));
  await bot.tap('⏱ Trust 24h', OWNER);
  tell('   The owner taps ⏱ Trust 24h.');

  chapter(5, 'It runs');
  const done = await agent.waitFor(requestId);
  const seen = api.received.at(-1);
  tell(
    `What the API saw: ${seen?.method} ${seen?.path}, Authorization: Bearer ${short(seen?.headers.authorization ?? '')}`,
  );
  check('the API got the real key', seen?.headers.authorization === `Bearer ${key}`);
  tell('What the agent got (the API was nasty and sent the key back):');
  quote(done.result?.stdout ?? '');
  check('the run succeeded', done.status === 'success');
  check(
    'the key is masked in the result',
    done.result?.stdout.includes('[redacted]') === true && !JSON.stringify(done).includes(key),
  );
  for (const row of done.result?.egress ?? []) {
    tell(`   on the way out: ${row.method} ${row.host}${row.path} -> ${row.status}, put in: ${row.secrets.join(', ')}`);
  }

  chapter(6, 'The same again runs at once');
  const again = await agent.execute(exampleRequest);
  tell(`POST /execute answers ${again.http} ${again.status} after ${again.tookMs} ms, without a card.`);
  check('no card was needed', again.http === 200 && again.status === 'success');

  chapter(7, 'One changed byte asks again');
  const changed = await agent.execute({ ...exampleRequest, code: exampleRequest.code.replace('Hello!', 'Hello?') });
  tell(`"Hello!" became "Hello?": POST /execute answers ${changed.http} ${changed.status}.`);
  check('it waits for the owner', changed.http === 202 && changed.status === 'pending');
  await bot.waitFor(() =>
    bot.messages(OWNER).find((message) => message.text.includes('Hello?') && message.buttons.length > 0),
  );
  await bot.tap('❌ Deny', OWNER);
  const denied = await agent.waitFor(changed.request_id ?? '');
  tell(`   The owner taps ❌ Deny; the agent reads: ${denied.status}.`);
  check('nothing ran', denied.status === 'denied');

  chapter(8, 'What the code sees');
  const curious = await agent.execute({
    skill_id: 'curious',
    secrets: ['OPENAI_API_KEY'],
    metadata: { network: ['api.openai.com'] },
    code: "console.log('OPENAI_API_KEY is', process.env.OPENAI_API_KEY);",
  });
  await bot.waitFor(() =>
    bot.messages(OWNER).find((message) => message.text.includes('curious') && message.buttons.length > 0),
  );
  await bot.tap('✅ Run Once', OWNER);
  const told = await agent.waitFor(curious.request_id ?? '');
  quote(told.result?.stdout ?? '');
  check(
    'it is a placeholder, made for that run only',
    told.result?.stdout.includes(key) === false && told.status === 'success',
  );

  chapter(9, 'Everything is in the audit');
  const audit = z
    .object({ items: z.array(z.object({ at: z.string(), actor: z.string(), kind: z.string() })) })
    .parse(await house.oauth3(['audit', 'list']));
  for (const row of audit.items.toReversed().slice(-14)) tell(`   ${row.at}  ${row.actor.padEnd(16)} ${row.kind}`);
  const verified = z.object({ ok: z.boolean(), events: z.number() }).parse(await house.oauth3(['audit', 'verify']));
  check(`the hash chain of ${verified.events} events is whole`, verified.ok);
}

/** Images are made once on a machine; the second demo finds them. */
async function showImages(house: House): Promise<void> {
  tell('\nThe images of Deno, Node and Python are made, unless they are there:');
  const schema = z.object({ items: z.array(z.object({ runtime: z.string(), state: z.string(), image: z.string() })) });
  const made = schema.parse(await house.oauth3(['images', ...languages]));
  for (const { runtime, state, image } of made.items) tell(`   ${runtime.padEnd(8)} ${state}  ${image.slice(0, 19)}`);
  check(
    'each is ready',
    made.items.every(({ state }) => state === 'ready'),
  );
}

async function showLanguages(house: House): Promise<void> {
  const { bot, api, key } = house;
  chapter(10, 'The same in other languages, each in a container of its own');
  const { token } = z.object({ token: z.string() }).parse(await house.oauth3(['agent', 'add', 'polyglot']));
  const agent = makeAgent(house.url, token);
  for (const language of languages) {
    const request = inLanguage(language);
    const asked = await agent.execute(request);
    await bot.waitFor(() =>
      bot.messages(OWNER).find((message) => message.text.includes(request.skill_id) && message.buttons.length > 0),
    );
    await bot.tap('⏱ Trust 24h', OWNER);
    const done = await agent.waitFor(asked.request_id ?? '');
    const again = await agent.execute(request);
    tell(`   ${language.padEnd(8)} first ${done.status}, again at once ${again.status} after ${again.tookMs} ms`);
    quote(again.stdout ?? '');
    check(
      `${language} called the API with the real key`,
      api.received.at(-1)?.headers.authorization === `Bearer ${key}`,
    );
    check(`${language} never had it`, again.status === 'success' && !JSON.stringify([done, again]).includes(key));
  }
}

function short(authorization: string): string {
  return `${authorization.replace('Bearer ', '').slice(0, 12)}… (the real key)`;
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { call } from '../../cli/client.ts';
import { controlAddress } from '../../cli/place.ts';
import { testUser } from '../../scripts/setup/testUser.ts';
import { type BotApi, startBotApi } from '../support/botApi.ts';
import { canaryValue, filesBelow, type Place, processesFrom, sightings, startFactsOf } from '../support/canary.ts';
import {
  boundHost,
  canaryWish,
  echoCode,
  heldCode,
  indiscreet,
  placements,
  placementWish,
  unboundHost,
} from '../support/canaryJobs.ts';
import { type Desk, openDesk } from '../support/desk.ts';
import { launchApp, type RunningApp } from '../support/desktop.ts';
import { oauth3 } from '../support/headless.ts';
import { startHttpsUpstream, type UpstreamServer } from '../support/httpsUpstream.ts';

const ownerId = 42;
const value = canaryValue();

let desk: Desk;
let api: UpstreamServer & Readonly<{ authorityPem: string }>;
let bot: BotApi;
let app: RunningApp;
let window: Page;
let decision: Page;
let token: string;
let bus: ChildProcess;
const onBus: Buffer[] = [];
const seen: Place[] = [];

beforeAll(async () => {
  desk = await openDesk();
  bus = spawn(...testUser.as('dbus-monitor', ['--session']), { env: desk.env, stdio: ['ignore', 'pipe', 'ignore'] });
  bus.stdout?.on('data', (chunk: Buffer) => onBus.push(chunk));
  if (bus.stdout) await once(bus.stdout, 'data');
  api = await startHttpsUpstream([boundHost, unboundHost], { answer: indiscreet });
  bot = await startBotApi();
  const roots = path.join(desk.home, 'roots.pem');
  await writeFile(roots, api.authorityPem);
  app = await launchApp(desk, {
    env: {
      OAUTH3_EGRESS_CA_FILE: roots,
      OAUTH3_EGRESS_HOSTS: `${boundHost}=127.0.0.1:${api.port},${unboundHost}=127.0.0.1:${api.port}`,
      TELEGRAM_BOT_TOKEN: bot.token,
      TELEGRAM_CHAT_ID: String(ownerId),
      TELEGRAM_API_ROOT: bot.root,
      LOG_LEVEL: 'debug',
    },
  });
  window = await app.view('window');
  decision = await app.view('decision');
  const address = controlAddress({ OAUTH3_DATA_DIR: app.dataDir });
  token = (await call(address, 'agent.add', { name: 'laptop' })).token;
});
afterAll(async () => {
  await app?.stop();
  await Promise.all([api?.close(), bot?.close()]);
  bus?.kill();
  await desk?.close();
});

/** All that a page holds: its elements, what stands in its fields, and what it stored. */
const contentOf = `document.documentElement.outerHTML
  + [...document.querySelectorAll('input, textarea')].map((field) => field.value).join('\\n')
  + JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage), document.cookie])`;

/** Keeps what both views show now. */
async function look(when: string): Promise<void> {
  for (const [name, page] of [
    ['window', window],
    ['decision view', decision],
  ] as const) {
    seen.push({ name: `${name}, ${when}`, content: String(await page.evaluate(contentOf)) });
  }
}

/** Each page, and what it shows once it has its data; with nothing in it, it would prove nothing. */
const pages = {
  Requests: 'Recent',
  Secrets: 'CANARY',
  Trust: 'Nothing is trusted',
  Agents: 'laptop',
  Audit: 'it tried to send a secret where it does not belong',
  Runs: 'held',
  Settings: 'Start OAuth3 when you log in',
};

const openPage = (name: string): Promise<void> =>
  window.getByRole('navigation', { name: 'Pages' }).getByRole('button', { name }).click();

async function bridge(method: string, route: string, body?: unknown): Promise<string> {
  const response = await fetch(`${app.url}${route}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  seen.push({ name: `${method} ${route}`, content: JSON.stringify([...response.headers]) + text });
  return text;
}

const outcomeSchema = z.looseObject({
  request_id: z.string(),
  status: z.string(),
  result: z.looseObject({ stdout: z.string(), stderr: z.string() }).optional(),
});

async function ask(wish: unknown): Promise<string> {
  const asked: unknown = JSON.parse(await bridge('POST', '/execute', wish));
  expect(asked).toMatchObject({ status: 'pending' });
  return outcomeSchema.parse(asked).request_id;
}

async function run(wish: ReturnType<typeof canaryWish>): Promise<z.infer<typeof outcomeSchema>> {
  const id = await ask(wish);
  await bot.tap('✅ Run Once', ownerId, { about: ` ${wish.skill_id} ` });
  return outcomeSchema.parse(JSON.parse(await bridge('GET', `/requests/${id}?wait=60`)));
}

describe('a secret that the owner types into the window (ATTACKS O249)', () => {
  it('leaves the page when it is saved', async () => {
    await openPage('Secrets');
    await window.getByRole('button', { name: 'Add a secret' }).click();
    await window.getByLabel('Name', { exact: true }).fill('CANARY');
    await window.getByLabel('Value', { exact: true }).fill(value);
    await window.getByLabel('Hosts it may go to').fill(boundHost);
    // The search must see it where it is, or it would prove nothing later.
    await look('while it is typed');
    expect(sightings([value], seen.splice(0)).join()).toContain('window, while it is typed: raw');
    await window.getByRole('button', { name: 'Save' }).click();
    await window.getByRole('row', { name: /CANARY/ }).waitFor();
    await look('after it was saved');
    expect(sightings([value], seen)).toEqual([]);
  });

  it('is put in where it belongs, and is masked in what comes back', async () => {
    const id = await ask(canaryWish('echo', echoCode));
    await openPage('Requests');
    await window.getByRole('list', { name: 'Waiting' }).getByRole('button', { name: 'echo' }).click();
    await decision.getByRole('heading', { level: 1 }).getByText('echo').waitFor();
    await look('with a card');
    await decision.getByRole('button', { name: 'Run Once' }).click();
    const echoed = outcomeSchema.parse(JSON.parse(await bridge('GET', `/requests/${id}?wait=60`)));
    expect(echoed).toMatchObject({ status: 'success' });
    expect(echoed.result?.stdout).toContain('[redacted]');
    expect(api.received[0]?.headers.authorization).toBe(`Bearer ${value}`);

    expect(await run(canaryWish('held', heldCode))).toMatchObject({ status: 'failed' });
    for (const name of ['other-header', 'query', 'body', 'unbound-host']) {
      const [placement] = placements.filter((one) => one.name === name);
      if (placement !== undefined) await run(placementWish(placement));
    }
  });

  it('is in no view, notification, answer, file, log, process or message, nor in what the owner prints', async () => {
    for (const [name, loaded] of Object.entries(pages)) {
      await openPage(name);
      await window.getByText(loaded).first().waitFor();
      await look(`page ${name}`);
    }
    await openPage('Runs');
    await window.getByRole('list', { name: 'Runs' }).getByRole('button', { name: 'echo' }).click();
    for (const part of ['Output', 'Network', 'Code', 'Manifest', 'Timeline']) {
      await window.getByRole('tab', { name: part }).click();
      await look(`run, ${part}`);
    }
    const env = { OAUTH3_DATA_DIR: app.dataDir };
    for (const line of ['status', 'secret list', 'requests list', 'audit export --format jsonl']) {
      const { code, stdout, stderr } = await oauth3(env, line.split(' '));
      expect(code).toBe(0);
      seen.push({ name: `oauth3 ${line}`, content: stdout + stderr });
    }
    const notified = Buffer.concat(onBus).toString();
    // What must not hold the value has to be the right thing to look at.
    for (const part of ['member=Notify', 'wants to run echo once', 'put CANARY into the header x-other']) {
      expect({ part, notified: notified.includes(part) }).toEqual({ part, notified: true });
    }
    const shownText = seen.map(({ content }) => String(content)).join('\n');
    for (const part of ['CANARY', 'run.tripwire'])
      expect({ part, shown: shownText.includes(part) }).toEqual({ part, shown: true });
    const pids = processesFrom(app.pid);
    expect(pids.length).toBeGreaterThan(4);

    const everywhere = (): Place[] => [
      ...seen,
      ...filesBelow(desk.home),
      { name: 'the session bus', content: Buffer.concat(onBus) },
      { name: 'Telegram', content: bot.traffic() },
    ];
    const names = everywhere().map(({ name }) => name);
    expect(names).toContain(path.join(app.dataDir, 'proxy.db'));
    expect(names.filter((name) => name.includes('/data/electron/')).length).toBeGreaterThan(5);
    const log = { name: 'the log', content: (await app.output()).join('\n') };
    expect(sightings([value], [...everywhere(), ...startFactsOf(pids), log])).toEqual([]);
    expect(await app.stop()).toBe(0);
    expect(sightings([value], everywhere())).toEqual([]);
  });
});

import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { z } from 'zod';
import { type Desk, type DeskParts, openDesk } from './desk.ts';
import { type LaunchOptions, launchApp, type RunningApp } from './desktop.ts';
import { type Answer, startHttpsUpstream, type UpstreamServer } from './httpsUpstream.ts';

/** The host of the API that the jobs of these tests call; it is played by `api`. */
export const API_HOST = 'api.openai.com';

export type Agent = Readonly<{
  /** `POST /execute`; expects it to wait, answers the request id. */
  ask(body: object): Promise<string>;
  execute(body: object): Promise<Readonly<{ status: number; body: Readonly<Record<string, unknown>> }>>;
  /** `GET /requests/:id`; waits until it is final unless `waitSeconds` is 0. */
  request(id: string, waitSeconds?: number): Promise<Readonly<Record<string, unknown>>>;
  /** `DELETE /requests/:id`; the status of the answer. */
  cancel(id: string): Promise<number>;
}>;

/** The built app at a desk, with its two views, an agent over HTTP and an API that the jobs can call. */
export type WindowHouse = Readonly<{
  desk: Desk;
  api: UpstreamServer;
  /** Of the app that runs now; `restart` makes others. */
  readonly app: RunningApp;
  readonly window: Page;
  readonly decision: Page;
  agentWith(token: string): Agent;
  /** A new agent, made through the window's own bridge. */
  newAgent(name?: string): Promise<Agent>;
  /** Opens a card by a click on it in the list of waiting requests, where one row alone may have that name. */
  openCard(name: string): Promise<void>;
  /** A new request of an agent, whose card is opened as by `openCard`; answers its id. */
  askAndOpen(agent: Agent, body: Readonly<{ skill_id: string; [part: string]: unknown }>): Promise<string>;
  /** Ends the app in order and starts it again with the same data. */
  restart(): Promise<void>;
  close(): Promise<void>;
}>;

const answerSchema = z.record(z.string(), z.unknown());
const createdSchema = z.looseObject({ value: z.looseObject({ token: z.string() }) });
const statusSchema = z.looseObject({ value: answerSchema });

/** A call of a view's bridge, as the page itself can make it; the answer as it crosses. */
export const bridgeCall = (page: Page, name: string, input: unknown): Promise<unknown> =>
  page.evaluate(`window.oauth3.calls[${JSON.stringify(name)}](${JSON.stringify(input)})`);

/** What the window's bridge says of the broker's state. */
export const statusOf = async (page: Page): Promise<Readonly<Record<string, unknown>>> =>
  statusSchema.parse(await bridgeCall(page, 'status', null)).value;

const agentAt = (url: () => string, token: string): Agent => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const execute: Agent['execute'] = async (body) => {
    const response = await fetch(`${url()}/execute`, { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: response.status, body: answerSchema.parse(await response.json()) };
  };
  return {
    execute,
    ask: async (body) => {
      const answer = await execute(body);
      if (answer.status !== 202) throw new Error(`expected 202: ${answer.status} ${JSON.stringify(answer.body)}`);
      return z.string().parse(answer.body.request_id);
    },
    request: async (id, waitSeconds = 30) => {
      const response = await fetch(`${url()}/requests/${id}?wait=${waitSeconds}`, { headers });
      return answerSchema.parse(await response.json());
    },
    cancel: async (id) => {
      const { authorization } = headers;
      return (await fetch(`${url()}/requests/${id}`, { method: 'DELETE', headers: { authorization } })).status;
    },
  };
};

type Started = Readonly<{ app: RunningApp; window: Page; decision: Page }>;

const start = async (desk: Desk, options: LaunchOptions): Promise<Started> => {
  const app = await launchApp(desk, options);
  // A later start stays in the background, without any page: this is what a second launch of the app does.
  await app.electron.evaluate(({ app: electron }) => electron.emit('second-instance'));
  const window = await app.view('window');
  await window.getByRole('navigation').waitFor();
  return { app, window, decision: await app.view('decision') };
};

export type HouseOptions = LaunchOptions &
  Readonly<{
    /** A desk that the caller closes; else one with `parts` is opened. */
    desk?: Desk;
    parts?: DeskParts;
    answer?: Answer;
  }>;

/** Opens everything; the caller closes it. */
export const openWindowHouse = async (options: HouseOptions = {}): Promise<WindowHouse> => {
  const { parts = { notifications: false }, answer, env, desk: given, ...launch } = options;
  const desk = given ?? (await openDesk(parts));
  const api = await startHttpsUpstream([API_HOST], answer === undefined ? {} : { answer });
  const closeOutside = async (): Promise<void> => {
    await api.close();
    if (given === undefined) await desk.close();
  };
  const roots = path.join(desk.home, 'roots.pem');
  const outside = { OAUTH3_EGRESS_CA_FILE: roots, OAUTH3_EGRESS_HOSTS: `${API_HOST}=127.0.0.1:${api.port}` };
  const settings = { ...launch, env: { ...outside, ...env } };
  await writeFile(roots, api.authorityPem);
  let now: Started = await start(desk, settings).catch(async (error: unknown) => {
    await closeOutside();
    throw error;
  });
  const waitingRow = (name: string): Locator =>
    now.window.getByRole('list', { name: 'Waiting' }).getByRole('button', { name });
  const openCard = async (name: string): Promise<void> => {
    await waitingRow(name).click();
    await now.decision.getByRole('heading', { level: 1 }).getByText(name).waitFor();
  };
  const agentWith = (token: string): Agent => agentAt(() => now.app.url, token);
  return {
    desk,
    api,
    get app() {
      return now.app;
    },
    get window() {
      return now.window;
    },
    get decision() {
      return now.decision;
    },
    agentWith,
    newAgent: async (name = 'laptop') =>
      agentWith(createdSchema.parse(await bridgeCall(now.window, 'addAgent', { name })).value.token),
    openCard,
    askAndOpen: async (agent, body) => {
      // The page lists what has ended until it has read the list again: a click would find that row and not the new one.
      await waitingRow(body.skill_id).waitFor({ state: 'detached' });
      const id = await agent.ask(body);
      await openCard(body.skill_id);
      return id;
    },
    restart: async () => {
      await now.app.stop();
      now = await start(desk, settings);
    },
    close: async () => {
      await now.app.stop();
      await closeOutside();
    },
  };
};

/** Code that calls the API with a key and prints the answer. */
export const callingCode = (key: string, host: string = API_HOST): string =>
  [
    `const response = await fetch('https://${host}/v1/models', {`,
    `  headers: { Authorization: \`Bearer \${Deno.env.get('${key}')}\` },`,
    '});',
    'console.log(response.status, await response.text());',
  ].join('\n');

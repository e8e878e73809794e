import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Page } from 'playwright-core';
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
}>;

/** The built app at a desk, with its two views, an agent over HTTP and an API that the jobs can call. */
export type WindowHouse = Readonly<{
  desk: Desk;
  app: RunningApp;
  api: UpstreamServer;
  window: Page;
  decision: Page;
  agentWith(token: string): Agent;
  /** A new agent, made through the window's own bridge. */
  newAgent(name?: string): Promise<Agent>;
  /** Opens a card by a click on it in the list of waiting requests. */
  openCard(skillId: string): Promise<void>;
  close(): Promise<void>;
}>;

const answerSchema = z.record(z.string(), z.unknown());
const createdSchema = z.looseObject({ value: z.looseObject({ token: z.string() }) });

const agentAt = (url: string, token: string): Agent => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const execute: Agent['execute'] = async (body) => {
    const response = await fetch(`${url}/execute`, { method: 'POST', headers, body: JSON.stringify(body) });
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
      const response = await fetch(`${url}/requests/${id}?wait=${waitSeconds}`, { headers });
      return answerSchema.parse(await response.json());
    },
  };
};

export type HouseOptions = LaunchOptions & Readonly<{ parts?: DeskParts; answer?: Answer }>;

/** Opens everything; the caller closes it. */
export const openWindowHouse = async (options: HouseOptions = {}): Promise<WindowHouse> => {
  const { parts = { notifications: false }, answer, env, ...launch } = options;
  const desk = await openDesk(parts);
  const api = await startHttpsUpstream([API_HOST], answer === undefined ? {} : { answer });
  try {
    const roots = path.join(desk.home, 'roots.pem');
    await writeFile(roots, api.authorityPem);
    const outside = { OAUTH3_EGRESS_CA_FILE: roots, OAUTH3_EGRESS_HOSTS: `${API_HOST}=127.0.0.1:${api.port}` };
    const app = await launchApp(desk, { ...launch, env: { ...outside, ...env } });
    const window = await app.view('window');
    const decision = await app.view('decision');
    await window.getByRole('navigation').waitFor();
    const agentWith = (token: string): Agent => agentAt(app.url, token);
    return {
      desk,
      app,
      api,
      window,
      decision,
      agentWith,
      newAgent: async (name = 'laptop') => {
        const made: unknown = await window.evaluate(`window.oauth3.calls.addAgent({ name: ${JSON.stringify(name)} })`);
        return agentWith(createdSchema.parse(made).value.token);
      },
      openCard: async (skillId) => {
        await window.getByRole('list', { name: 'Waiting' }).getByRole('button', { name: skillId }).click();
        await decision.getByRole('heading', { level: 1 }).getByText(skillId).waitFor();
      },
      close: async () => {
        await app.stop();
        await api.close();
        await desk.close();
      },
    };
  } catch (error) {
    await api.close();
    await desk.close();
    throw error;
  }
};

/** Code that calls the API with a key and prints the answer. */
export const callingCode = (key: string, host: string = API_HOST): string =>
  [
    `const response = await fetch('https://${host}/v1/models', {`,
    `  headers: { Authorization: \`Bearer \${Deno.env.get('${key}')}\` },`,
    '});',
    'console.log(response.status, await response.text());',
  ].join('\n');

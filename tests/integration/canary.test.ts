import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type BotApi, startBotApi } from '../support/botApi.ts';
import {
  canaryValue,
  filesBelow,
  hostSafeCanary,
  memoryOf,
  type Place,
  processesFrom,
  sightings,
  spellingsOf,
  startFactsOf,
} from '../support/canary.ts';
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
import { type Headless, oauth3, startHeadless } from '../support/headless.ts';
import { startHttpsUpstream, startUpstream, type UpstreamServer } from '../support/httpsUpstream.ts';

const ownerId = 42;
const first = canaryValue();
const second = hostSafeCanary();
const values = [first, second];

let scratch: string;
let env: Record<string, string>;
let api: UpstreamServer & Readonly<{ authorityPem: string }>;
let hook: UpstreamServer;
let bot: BotApi;
let broker: Headless;
let token: string;
const answers: Place[] = [];
const printed: Place[] = [];

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'oauth3-canary-'));
  api = await startHttpsUpstream([boundHost, unboundHost], { answer: indiscreet });
  hook = await startUpstream(null);
  bot = await startBotApi();
  const file = (name: string, text: string): string => {
    const path = join(scratch, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  env = {
    OAUTH3_DATA_DIR: join(scratch, 'data'),
    OAUTH3_PASSPHRASE_FILE: file('passphrase', randomBytes(12).toString('hex')),
    OAUTH3_EGRESS_CA_FILE: file('roots.pem', api.authorityPem),
    OAUTH3_EGRESS_HOSTS: `${boundHost}=127.0.0.1:${api.port},${unboundHost}=127.0.0.1:${api.port}`,
    TELEGRAM_BOT_TOKEN: bot.token,
    TELEGRAM_CHAT_ID: String(ownerId),
    TELEGRAM_API_ROOT: bot.root,
    OPENCLAW_HOOK_URL: `http://127.0.0.1:${hook.port}/hooks/wake`,
    OPENCLAW_HOOK_TOKEN: randomBytes(16).toString('hex'),
    LOG_LEVEL: 'debug',
  };
  broker = await startHeadless(env);
  token = z.object({ token: z.string() }).parse(JSON.parse(await cli(['agent', 'add', 'laptop', '--json']))).token;
  await cli(['secret', 'add', 'CANARY', '--host', boundHost], first);
});
afterAll(async () => {
  await broker?.stop();
  await Promise.all([api?.close(), hook?.close(), bot?.close()]);
  rmSync(scratch, { recursive: true, force: true });
});

/** The owner's command line; what it says is kept. */
async function cli(args: readonly string[], input = ''): Promise<string> {
  const { stdout, stderr } = await oauth3(env, args, input);
  printed.push({ name: `oauth3 ${args.join(' ')}`, content: stdout + stderr });
  return stdout;
}

/** A call of the agent; what comes back is kept, byte by byte. */
async function call(method: string, path: string, body?: unknown): Promise<string> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const response = await fetch(`${broker.url}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  answers.push({ name: `${method} ${path}`, content: JSON.stringify([...response.headers]) + text });
  return text;
}

const outcomeSchema = z.looseObject({
  request_id: z.string(),
  status: z.string(),
  result: z.looseObject({ stdout: z.string(), stderr: z.string(), redactions: z.number() }).optional(),
});

/** Asks, taps Run Once, and answers with how it ended. */
async function run(wish: ReturnType<typeof canaryWish>): Promise<z.infer<typeof outcomeSchema>> {
  const asked: unknown = JSON.parse(await call('POST', '/execute', wish));
  expect(asked).toMatchObject({ status: 'pending' });
  const { request_id: id } = outcomeSchema.parse(asked);
  await bot.tap('✅ Run Once', ownerId, { about: ` ${wish.skill_id} ` });
  return outcomeSchema.parse(JSON.parse(await call('GET', `/requests/${id}?wait=60`)));
}

/** Everything that anybody but the upstream gets to see. */
function everywhere(): Place[] {
  return [
    ...answers,
    ...printed,
    ...filesBelow(scratch),
    ...startFactsOf(processesFrom(broker.pid)),
    { name: 'the log', content: broker.stderr() },
    { name: 'Telegram', content: bot.traffic() },
    ...hook.wire().map((content, index) => ({ name: `wake ${index}`, content })),
  ];
}

describe('the search', () => {
  it('finds every spelling of a planted value, wherever it is planted', () => {
    const folder = join(scratch, 'planted');
    for (const value of values) {
      for (const { name, bytes } of spellingsOf(value)) {
        const around = Buffer.concat([Buffer.from('before '), bytes, Buffer.from(' after')]);
        mkdirSync(join(folder, 'deep'), { recursive: true });
        writeFileSync(join(folder, 'deep', 'file'), around);
        expect(sightings(values, filesBelow(folder)).join(), name).toContain('deep/file: ');
      }
    }
    symlinkSync(second, join(folder, 'link'));
    writeFileSync(join(folder, `x${second}`), '');
    expect(sightings(values, filesBelow(folder)).join()).toMatch(/link: raw.*name of .*: raw/);
    rmSync(folder, { recursive: true });
    expect(sightings(values, [{ name: 'text', content: Buffer.from(`a${first}`).toString('base64') }])).not.toEqual([]);
    expect(sightings(values, [{ name: 'text', content: first.slice(0, 20) }])).toEqual([]);
  });

  it('sees environment, arguments and memory of a process', () => {
    const own = readFileSync('/proc/self/environ');
    const [content] = startFactsOf(processesFrom(process.pid)).map((place) => place.content);
    expect(Buffer.from(content ?? '').equals(own)).toBe(true);
    expect(processesFrom(process.pid)).toContain(broker.pid);
    expect(processesFrom(broker.pid).length).toBeGreaterThan(1);
    // The broker is where the values are; what is looked at elsewhere has to show there.
    const inBroker = [...memoryOf(broker.pid)].filter((place) => sightings(values, [place]).length > 0);
    expect(inBroker).not.toEqual([]);
  });
});

describe('a secret of the owner', () => {
  it('is nowhere in the sandbox while the code runs that uses it', async () => {
    let free = (): void => {};
    const reached = new Promise<void>((resolve) => {
      api.setAnswer((request, response) => {
        if (request.path !== '/hold') return indiscreet(request, response);
        response.writeHead(200);
        response.write(request.headers.authorization);
        free = () => response.end();
        resolve();
      });
    });
    const code = `const p = process.env.CANARY;
      await fetch('https://${boundHost}/', { headers: { authorization: 'Bearer ' + p } }).then((answer) => answer.text());
      await (await fetch('https://${boundHost}/hold', { headers: { authorization: 'Bearer ' + p } })).text();`;
    const ended = run(canaryWish('held-open', code));
    await reached;
    expect(api.received.at(-1)?.headers.authorization).toBe(`Bearer ${first}`);
    const [, ...sandboxes] = processesFrom(broker.pid);
    expect(sandboxes.length).toBeGreaterThan(0);
    const places = sandboxes.flatMap((pid) => [...memoryOf(pid)]);
    expect(places.length).toBeGreaterThan(sandboxes.length);
    expect(sightings([first], places)).toEqual([]);
    expect(sightings(values, everywhere())).toEqual([]);
    free();
    expect(await ended).toMatchObject({ status: 'success' });
  });

  it('goes into the places that it is bound to, and no other', async () => {
    for (const placement of placements) {
      const before = api.received.length;
      await run(placementWish(placement));
      const sent = api.received.slice(before).map(({ path, headers, body }) => ({
        name: placement.name,
        content: Buffer.concat([Buffer.from(`${path}\n${JSON.stringify(headers)}\n`), body]),
      }));
      expect({ name: placement.name, released: sightings([first], sent).length > 0 }).toEqual({
        name: placement.name,
        released: placement.released,
      });
    }
  });

  it('is masked in whatever the code prints of an answer that repeats it', async () => {
    const { status, result } = await run(canaryWish('echo', echoCode));
    expect(status).toBe('success');
    expect(result?.stdout).toMatch(/^1 raw .*\[redacted\]/m);
    expect(result?.stderr).toContain('10 objects');
  });

  it('is masked in whatever the code prints, calls and throws, also when the code got hold of it', async () => {
    for (const [index, value] of values.entries()) {
      if (index > 0) await cli(['secret', 'rotate', 'CANARY'], value);
      const { status, result } = await run(canaryWish(`held-${index}`, heldCode, ['*.example.com']));
      expect(status).toBe('failed');
      expect(result?.stdout).toMatch(/^1 raw \[redacted\]$/m);
      expect(result?.stdout).toMatch(/^8 two writes \[redacted\]$/m);
      expect(result?.stderr).toContain('in the end: [redacted]');
      expect(result?.redactions).toBeGreaterThan(20);
      expect(api.received.some(({ path }) => decodeURIComponent(path).includes(value))).toBe(true);
    }
  });

  it('is in no answer, file, log, process, message, wake or print: nowhere but at the upstream (ATTACKS F116)', async () => {
    const listed = z
      .object({ items: z.array(z.looseObject({ request_id: z.string(), skill_id: z.string() })) })
      .parse(JSON.parse(await cli(['requests', 'list', '--json'])));
    expect(listed.items.length).toBeGreaterThan(placements.length);
    for (const { request_id: id } of listed.items) await call('GET', `/execute/${id}/status`);
    for (const { request_id: id } of listed.items.filter(({ skill_id: skill }) => /^(held|echo|path)/.test(skill))) {
      for (const format of [[], ['--json']]) await cli(['requests', 'show', id, ...format]);
    }
    await call('GET', '/health');
    await call('POST', '/execute', { skill_id: 'bad', secrets: 7 });
    const commands = [
      'status',
      'agent list',
      'secret list',
      'host list',
      'trust list',
      'audit list --limit 1000',
      'audit verify',
      'audit export --format jsonl',
      'audit export --format csv',
      'settings list',
      'wake test',
    ];
    for (const command of commands) {
      await cli(command.split(' '));
      if (!command.startsWith('audit export')) await cli([...command.split(' '), '--json']);
    }
    for (const command of ['/secrets', '/pending', '/trust', '/audit', '/health']) bot.say(command, ownerId);
    await bot.waitFor(() => hook.received.length > 0);

    const places = everywhere();
    const names = places.map(({ name }) => name).join('\n');
    for (const part of ['proxy.db', 'proxy.db-wal', 'GET /requests/', 'oauth3 audit export', '/environ', 'wake 0']) {
      expect(names).toContain(part);
    }
    expect(broker.stderr()).toContain('Stopped path: its code tried to put CANARY into the URL');
    expect(sightings(values, places)).toEqual([]);

    expect(await broker.stop()).toBe(0);
    expect(sightings(values, everywhere())).toEqual([]);
  });
});

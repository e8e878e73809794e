import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { controlCommands, maxControlLine } from '../../contract/control.ts';
import { CodedError } from '../../contract/errors.ts';
import type { OwnerActions } from '../../contract/owner.ts';
import { silentLog } from '../core/log.ts';
import { controlPlace } from './place.ts';
import { ControlServer } from './server.ts';

type Answer = Readonly<{ id: number; ok?: boolean; value?: unknown; part?: string; error?: { code: string } }>;

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

/** An owner who can do only what a test names; anything else would be a defect of the test and answers `internal`. */
const owner = (actions: Partial<OwnerActions>): OwnerActions => actions as OwnerActions;

async function start(
  actions: Partial<OwnerActions>,
  options: Partial<ConstructorParameters<typeof ControlServer>[0]> = {},
) {
  const dataDir = mkdtempSync(join(tmpdir(), 'oauth3-control-'));
  cleanups.push(() => rmSync(dataDir, { recursive: true, force: true }));
  const server = new ControlServer({ dataDir, owner: owner(actions), log: silentLog, ...options });
  await server.start();
  cleanups.push(() => server.stop());
  return { server, dataDir };
}

/** Sends lines and collects answers until `count` came or the server hung up. */
function talk(path: string, lines: readonly string[], count: number): Promise<readonly Answer[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let text = '';
    const answers = (): readonly Answer[] =>
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line));
    socket.on('connect', () => {
      for (const line of lines) socket.write(line);
    });
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      if (answers().length >= count) socket.destroy();
    });
    socket.on('error', (error) => (text === '' ? reject(error) : undefined));
    socket.on('close', () => resolve(answers()));
  });
}

const line = (message: object): string => `${JSON.stringify(message)}\n`;

describe('the control socket', () => {
  it('is open to this account alone and recorded in the data folder', async () => {
    const { server, dataDir } = await start({});
    expect(statSync(server.path).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(dataDir, 'control.path'), 'utf8')).toBe(`${server.path}\n`);
    expect(statSync(join(dataDir, 'control.path')).mode & 0o777).toBe(0o600);
  });

  it('moves to a private runtime folder when the data folder is too deep for a socket', async () => {
    const deep = mkdtempSync(join(tmpdir(), `oauth3-${'d'.repeat(100)}-`));
    const runtimeDir = mkdtempSync(join(tmpdir(), 'run-'));
    cleanups.push(() => {
      rmSync(deep, { recursive: true, force: true });
      rmSync(runtimeDir, { recursive: true, force: true });
    });
    const { folder } = controlPlace({ dataDir: deep, platform: process.platform, runtimeDir });
    mkdirSync(folder ?? '', { mode: 0o755 });
    const { server } = await start({ secrets: () => [] }, { dataDir: deep, runtimeDir });
    expect(server.path.startsWith(runtimeDir)).toBe(true);
    expect(statSync(join(server.path, '..')).mode & 0o777).toBe(0o700);
    const [answer] = await talk(server.path, [line({ id: 1, command: 'secret.list', params: {} })], 1);
    expect(answer).toEqual({ id: 1, ok: true, value: { items: [] } });
  });

  it('acts as the principal cli', async () => {
    let seen: unknown;
    const { server } = await start({
      addAgent: (principal, name) => {
        seen = [principal, name];
        return { agent_id: 'agt_1', name, token: 't' };
      },
    });
    await talk(server.path, [line({ id: 7, command: 'agent.add', params: { name: 'x' } })], 1);
    expect(seen).toEqual(['cli', 'x']);
  });

  it('answers a refusal with its code and a defect with nothing of it', async () => {
    const { server } = await start({
      trust: () => {
        throw new CodedError('vault_locked', 'The vault is locked');
      },
      secrets: () => {
        throw new Error('quotes something private');
      },
    });
    const answers = await talk(
      server.path,
      [line({ id: 1, command: 'trust.list', params: {} }), line({ id: 2, command: 'secret.list', params: {} })],
      2,
    );
    expect(answers[0]).toMatchObject({ id: 1, ok: false, error: { code: 'vault_locked' } });
    expect(answers[1]).toMatchObject({ id: 2, ok: false, error: { code: 'internal' } });
    expect(JSON.stringify(answers)).not.toContain('private');
  });

  it('refuses unknown commands, unknown keys and wrong types before anything is done', async () => {
    const { server } = await start({});
    const answers = await talk(
      server.path,
      [
        line({ id: 1, command: 'approve', params: {} }),
        line({ id: 2, command: '__proto__', params: {} }),
        line({ id: 3, command: 'agent.add', params: { name: 'x', extra: 1 } }),
        line({ id: 4, command: 'agent.add', params: { name: 5 } }),
        line({ id: 5, command: 'agent.add', params: null }),
      ],
      5,
    );
    expect(answers.map(({ id, error }) => [id, error?.code]).sort()).toEqual([
      [1, 'not_found'],
      [2, 'not_found'],
      [3, 'invalid_request'],
      [4, 'invalid_request'],
      [5, 'invalid_request'],
    ]);
  });

  it('hangs up on what is not its protocol and on endless lines', async () => {
    const { server } = await start({});
    expect(await talk(server.path, ['GET / HTTP/1.1\r\nHost: x\r\n\r\n'], 1)).toEqual([]);
    expect(await talk(server.path, ['x'.repeat(maxControlLine + 1)], 1)).toEqual([]);
  });

  it('streams an export in parts', async () => {
    const { server } = await start({
      exportAudit: async function* () {
        yield* ['a\n', 'b\n'];
      },
    });
    const answers = await talk(server.path, [line({ id: 1, command: 'audit.export', params: { format: 'jsonl' } })], 3);
    expect(answers).toEqual([
      { id: 1, part: 'a\n' },
      { id: 1, part: 'b\n' },
      { id: 1, ok: true, value: null },
    ]);
  });

  it('takes the place of a socket that a dead broker left', async () => {
    const { dataDir, server } = await start({ secrets: () => [] });
    const second = new ControlServer({ dataDir, owner: owner({ secrets: () => [] }), log: silentLog });
    await second.start();
    cleanups.push(() => second.stop());
    expect(await talk(server.path, [line({ id: 1, command: 'secret.list', params: {} })], 1)).toHaveLength(1);
  });

  it('L207 has no command that approves or decides', () => {
    expect(Object.keys(controlCommands).filter((name) => /approve|decide|confirm|allow/.test(name))).toEqual([]);
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunPart } from '../../contract/runView.ts';
import { manifestDigest } from '../../main/core/digest.ts';
import { segmentText } from '../../main/core/segmentText.ts';
import { runActions } from '../../main/owner/runs.ts';
import type { SandboxIo } from '../../main/runs/backend.ts';
import { maxOutputBytes } from '../../main/runs/output.ts';
import {
  addSecret,
  approved,
  bytes,
  openRunHouse,
  type RunHouse,
  run,
  until,
  untilFinal,
} from '../support/runHouse.ts';

type Actions = ReturnType<typeof runActions>;

let house: RunHouse;
let actions: Actions;
/** The run in flight, played by the test. */
let io: SandboxIo;
let exit: (code: number) => void;

beforeEach(() => {
  house = openRunHouse();
  actions = runActions({ records: house.store, runs: house.scheduler });
});
afterEach(() => house.end());

/** Everything that a page can read of it, as text, read a few rows at a time. */
function textOf(id: string, part: RunPart, count = 500): string {
  const rows: string[] = [];
  for (let line = 0; ; ) {
    const page = actions.runText({ id, part, from: rows.length, count });
    if (page.rows.length === 0) return rows.join('');
    for (const row of page.rows) {
      rows.push((row.line === line || line === 0 ? '' : '\n') + segmentText(row.of));
      line = row.line;
    }
  }
}

async function start(wish: Parameters<typeof approved>[1] = {}): Promise<string> {
  const begun = new Promise<void>((resolve) => {
    house.backend.script = (_job, given) => {
      io = given;
      resolve();
      return new Promise((end) => {
        exit = (exitCode) => end({ kind: 'exited', exitCode });
      });
    };
  });
  const id = approved(house, wish);
  house.scheduler.enqueue(id);
  await begun;
  return id;
}

describe('a run in flight', () => {
  it('shows what it has written so far, then the same as its result', async () => {
    const id = await start();
    expect(actions.run(id)).toMatchObject({ status: 'running', output: 'live' });
    io.stdout(bytes('one\ntw'));
    expect(textOf(id, 'stdout')).toBe('one\ntw');
    io.stdout(bytes('o\nthree'));
    io.stderr(bytes('oh'));
    expect(textOf(id, 'stdout')).toBe('one\ntwo\nthree');
    expect(actions.runPulse(id)).toMatchObject({ stdout: { lines: 3, characters: 13 }, stderr: { lines: 1 } });
    exit(0);
    await untilFinal(house, id);
    expect(actions.run(id)).toMatchObject({ status: 'success', output: 'kept', exitCode: 0 });
    expect(textOf(id, 'stdout')).toBe('one\ntwo\nthree');
    expect(textOf(id, 'stderr')).toBe('oh');
  });

  it('shows no part of a secret, however it comes and whenever one looks', async () => {
    addSecret(house, 'KEY');
    const value = [...house.values.values()][0]?.value ?? '';
    const id = await start({ secrets: ['KEY'] });
    for (const byte of bytes(`key=${value}\n`)) {
      io.stdout(Uint8Array.of(byte));
      expect(textOf(id, 'stdout')).toMatch(/^(k|ke|key|key=.?|key=\[redacted\]\n?)?$/);
    }
    exit(0);
    await untilFinal(house, id);
    expect(textOf(id, 'stdout')).toBe('key=[redacted]');
    expect(actions.run(id).pulse.redactions).toBe(1);
  });

  it.each([
    ['I157 one line without an end', 'x'.repeat(64 * 1024), 64],
    ['I157 very many short lines', '.\n'.repeat(32 * 1024), 64],
    ['I157 M222 nothing but control sequences', '\u001b[31m\u001b]0;t\u0007'.repeat(6000), 64],
  ])('%s: only what is kept is shown, in rows, and each page comes soon', async (_, chunk, times) => {
    const id = await start();
    const piece = bytes(chunk);
    for (let at = 0; at < times; at += 1) {
      io.stdout(piece);
      actions.runPulse(id);
    }
    expect(actions.runPulse(id)).toMatchObject({ truncated: true, stdout: { characters: maxOutputBytes } });
    const { total } = actions.runText({ id, part: 'stdout', from: 0, count: 1 });
    const startedMs = performance.now();
    for (const from of [0, Math.floor(total / 2), Math.max(0, total - 500)]) {
      const page = actions.runText({ id, part: 'stdout', from, count: 500 });
      expect(page.rows.length).toBeGreaterThan(0);
      for (const row of page.rows) {
        expect(segmentText(row.of)).not.toContain('\u001b');
        expect(row.of.length).toBeLessThanOrEqual(240);
      }
    }
    expect(performance.now() - startedMs).toBeLessThan(1000);
    const shown = textOf(id, 'stdout');
    exit(0);
    await untilFinal(house, id);
    expect(textOf(id, 'stdout')).toBe(shown);
  });
});

describe('what ran', () => {
  it('is listed with what runs first, then newest first, page by page', async () => {
    const ids: string[] = [];
    for (let at = 0; at < 53; at += 1) ids.push(await run(house));
    const running = await start();
    const first = actions.runs({ show: 'all' });
    expect(first.rows.map(({ id }) => id)).toEqual([running, ...ids.slice(3).reverse()]);
    const second = actions.runs({ show: 'all', after: first.next ?? '' });
    expect(second).toMatchObject({ next: null });
    expect(second.rows.map(({ id }) => id)).toEqual(ids.slice(0, 3).reverse());
    expect(actions.runs({ show: 'active' }).rows.map(({ id }) => id)).toEqual([running]);
    expect(actions.runs({ show: 'failed' })).toEqual({ rows: [], next: null });
    expect(actions.runs({ show: 'all', agentId: 'agt_other' }).rows).toEqual([]);
  });

  it('shows the very manifest whose digest was decided about, and says when it is not that one', async () => {
    const id = await run(house);
    const detail = actions.run(id);
    const digest = house.store.request(id)?.manifestDigest;
    expect(detail).toMatchObject({ manifestDigest: digest, manifestMatches: true });
    expect(manifestDigest(JSON.parse(textOf(id, 'canonical')))).toBe(digest);
    expect(JSON.parse(textOf(id, 'manifest'))).toEqual(house.store.manifest(digest ?? ''));
    expect(textOf(id, 'arguments')).toBe('{\n  "n": 1\n}');
    const other = runActions({
      records: new Proxy(house.store, {
        get: (store, name) =>
          name === 'manifest'
            ? (key: string) => ({ ...store.manifest(key), skillId: 'other' })
            : Reflect.get(store, name),
      }),
      runs: house.scheduler,
    });
    expect(other.run(id).manifestMatches).toBe(false);
  });

  it('says how it ended and who decided', async () => {
    const stopped = await start();
    house.scheduler.kill(stopped);
    await untilFinal(house, stopped);
    const sentence = (id: string) => segmentText(actions.run(id).sentence);
    expect(sentence(stopped)).toBe('You stopped it.');
    const failing = await start();
    exit(3);
    await until(house, failing, (state) => state === 'failed');
    expect(sentence(failing)).toBe('The code ended with exit code 3.');
    expect(actions.run(failing).decided).toMatchObject({ verdict: 'once', by: 'in the app', trusted: false });
  });

  it('says that its output is gone when it is no longer kept, and still shows its manifest', async () => {
    const id = await run(house);
    house.store.prune({ resultsBefore: Date.now() + 1000, trafficBefore: 0 });
    expect(actions.run(id)).toMatchObject({ output: 'gone', manifestMatches: true });
    expect(actions.runText({ id, part: 'stdout', from: 0, count: 10 })).toEqual({ rows: [], total: 0, lines: 0 });
    expect(textOf(id, 'code')).toContain('console.log');
  });

  it('is not found where there is none', () => {
    expect(() => actions.run('req_none')).toThrow(expect.objectContaining({ code: 'not_found' }));
  });
});

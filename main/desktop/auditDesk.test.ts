import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuditWork } from '../../contract/audit.ts';
import { segmentText } from '../core/segmentText.ts';
import { AuditDesk } from './auditDesk.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oauth3-audit-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const row = (payload: unknown) => ({
  seq: 7,
  at: '2026-01-05T12:00:00.000Z',
  actor: 'desktop',
  kind: 'secret.added',
  request_id: null,
  payload,
  hash: 'a'.repeat(64),
  agent: null,
  skill_id: null,
});

type Given = Readonly<{ file?: string | null; parts?: () => AsyncIterable<string>; payload?: unknown }>;
function deskOf({ file = join(folder, 'log.jsonl'), parts = () => of('a\n', 'b\nc\n'), payload = {} }: Given = {}) {
  const told: AuditWork[] = [];
  const asked: unknown[] = [];
  const desk = new AuditDesk({
    owner: {
      audit: async () => [row(payload)],
      auditEvent: () => row(payload),
      verifyAudit: (onProgress, signal) =>
        new Promise((_, reject) => {
          onProgress?.({ done: 10, total: 20 });
          signal?.addEventListener('abort', () => reject(signal.reason));
        }),
      exportAudit: (format, filter) => {
        asked.push(format, filter);
        return parts();
      },
    },
    chooseFile: async () => file,
    progress: (work) => told.push(work),
  });
  return { desk, told, asked };
}

async function* of(...parts: readonly string[]): AsyncIterable<string> {
  yield* parts;
}

describe('the audit log in the window', () => {
  it('is exported to the file that the owner names, for nobody else to read, with the filter', async () => {
    const { desk, told, asked } = deskOf();
    const file = join(folder, 'log.jsonl');
    writeFileSync(file, 'what was there before, and longer', { mode: 0o644 });
    expect(await desk.export('jsonl', { agent: 'laptop' })).toEqual({ file, events: 3, cancelled: false });
    expect(readFileSync(file, 'utf8')).toBe('a\nb\nc\n');
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(asked).toEqual(['jsonl', { agent: 'laptop' }]);
    expect(told.at(-1)).toEqual({ job: 'export', done: 3, total: 3 });
  });

  it('writes nothing when no file is chosen, and says so when it cannot be written', async () => {
    expect(await deskOf({ file: null }).desk.export('csv', {})).toBeNull();
    await expect(deskOf({ file: join(folder, 'missing', 'log') }).desk.export('csv', {})).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });

  it('leaves no half of a file when it is stopped or fails', async () => {
    const file = join(folder, 'log.jsonl');
    const stopped = deskOf({
      parts: async function* () {
        yield 'a\n';
        stopped.desk.cancel('export');
        yield 'b\n';
      },
    });
    expect(await stopped.desk.export('jsonl', {})).toEqual({ file, events: 1, cancelled: true });
    expect(statSync(file, { throwIfNoEntry: false })).toBeUndefined();
    const failing = deskOf({
      parts: async function* () {
        yield 'a\n';
        throw new Error('gone');
      },
    });
    await expect(failing.desk.export('jsonl', {})).rejects.toThrow('gone');
    expect(statSync(file, { throwIfNoEntry: false })).toBeUndefined();
  });

  it('is checked once at a time, tells how far it is, and stops when it is told to', async () => {
    const { desk, told } = deskOf();
    const checked = desk.verify();
    await expect(desk.verify()).rejects.toMatchObject({ code: 'invalid_request' });
    desk.cancel('verify');
    await expect(checked).rejects.toThrow('Stopped');
    expect(told).toEqual([{ job: 'verify', done: 10, total: 20 }]);
  });

  it('shows what others wrote as segments: short in the list, whole and marked in the event', async () => {
    const name = `K\u202e${'x'.repeat(2_000)}`;
    const { desk } = deskOf({ payload: { name } });
    const [line] = await desk.lines({ limit: 1 });
    expect(segmentText(line?.sentence ?? [])).toMatch(/⟦U\+202E⟧x+⟦… \d+ more characters⟧$/);
    expect(segmentText(desk.detail(7).payload ?? [])).toContain('x'.repeat(2_000));
    expect(deskOf({ payload: null }).desk.detail(7).payload).toBeNull();
  });
});

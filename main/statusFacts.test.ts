import { describe, expect, it } from 'vitest';
import type { Isolation, Runtime } from '../contract/runtime.ts';
import { FakeBackend } from './runs/fakeBackend.ts';
import { Sandboxes } from './runs/sandboxes.ts';
import { missingParts, platformText, type StatusParts, startLines, statusFacts } from './statusFacts.ts';

const why = 'No engine is there.';

function ready(isolation: Isolation, runtime: Runtime): FakeBackend {
  const backend = new FakeBackend({ isolation, runtimes: [runtime] });
  backend.setStatus({ ready: true });
  return backend;
}
const embedded = ready('embedded', 'quickjs');
const container = ready('container', 'deno');

function partsOf(change: Partial<StatusParts> = {}): StatusParts {
  return {
    version: '0',
    url: () => 'http://127.0.0.1:1',
    dataDir: '/data',
    records: { health: () => 'ok', pendingRequests: () => [] },
    vault: { state: () => 'unlocked', lockReason: () => null },
    sandboxes: new Sandboxes([embedded], why),
    sandboxesSettled: Promise.resolve(),
    defaultRuntime: () => 'quickjs',
    minimumIsolation: () => 'embedded',
    engineWarnings: () => [],
    telegram: () => ({ status: () => Promise.resolve('connected'), problem: null }),
    ...change,
  };
}

describe('what is said to be missing', () => {
  it('is nothing where the default runs in a container', () => {
    expect(missingParts(partsOf({ sandboxes: new Sandboxes([container]), defaultRuntime: () => 'deno' }))).toEqual([]);
  });

  it('names the embedded sandbox, and why there is no other or that there is one', () => {
    expect(missingParts(partsOf())).toEqual([expect.stringContaining(why)]);
    const both = new Sandboxes([embedded, container]);
    expect(missingParts(partsOf({ sandboxes: both }))).toEqual([expect.stringContaining('Containers are ready')]);
  });

  it('leaves notes about the engine to a place of their own, and to one line of the start', async () => {
    const notes = ['It is old.', 'It is very old.'];
    const parts = partsOf({ engineWarnings: () => notes });
    expect(await statusFacts(parts)).toMatchObject({ notes: missingParts(parts), engine_notes: notes });
    expect(startLines(parts)).toEqual([...missingParts(parts), expect.stringMatching(/^There are 2 notes/)]);
    expect(startLines(partsOf())).toEqual(missingParts(partsOf()));
  });
});

it('names what it runs on, in the app and in plain Node', () => {
  const inElectron = { electron: '45.4.1', chrome: '150.0.1.2', node: '24.1.0', v8: '15.0' };
  expect(platformText(inElectron)).toBe('Electron 45.4.1, Chromium 150.0.1.2, Node 24.1.0');
  expect(platformText({ node: '24.1.0' })).toBe('Node 24.1.0');
});

import { describe, expect, it } from 'vitest';
import type { Isolation, Runtime } from '../../contract/runtime.ts';
import type { BackendStatus } from './backend.ts';
import { FakeBackend } from './fakeBackend.ts';
import { Sandboxes } from './sandboxes.ts';

const carrier = { image: 'fake', runner: '', seccomp: '' };

function sandbox(isolation: Isolation, runtimes: readonly Runtime[], status: BackendStatus = { ready: true }) {
  const backend = new FakeBackend({ isolation, runtimes });
  backend.setStatus(status);
  return backend;
}

const embedded = sandbox('embedded', ['quickjs']);

describe('the choice of a sandbox', () => {
  it('takes one that runs the language at that isolation or a stronger one', () => {
    const sandboxes = new Sandboxes([embedded, sandbox('gvisor', ['deno'])]);
    expect(sandboxes.pick('quickjs', 'embedded')).toEqual({
      ready: true,
      facts: { isolation: 'embedded', carrier },
      waitsFor: null,
    });
    expect(sandboxes.pick('deno', 'container')).toMatchObject({ facts: { isolation: 'gvisor' } });
  });

  it('never falls back to a weaker isolation or another language', () => {
    const down = sandbox('container', ['deno'], { ready: false, coming: false, reason: 'the engine is down' });
    const sandboxes = new Sandboxes([embedded, down]);
    expect(sandboxes.pick('quickjs', 'container').ready).toBe(false);
    expect(sandboxes.pick('deno', 'embedded')).toEqual({ ready: false, reason: 'the engine is down' });
    expect(sandboxes.pick('python', 'embedded').ready).toBe(false);
  });

  it('takes Deno at a first run only where it is ready', () => {
    expect(new Sandboxes([embedded]).firstRuntime()).toBe('quickjs');
    expect(new Sandboxes([embedded, sandbox('container', ['deno'])]).firstRuntime()).toBe('deno');
  });

  it('says of each isolation how it is', () => {
    expect(new Sandboxes([embedded]).states()).toMatchObject({
      embedded: 'ready',
      container: expect.stringContaining('not available'),
    });
  });
});

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
    expect(sandboxes.pick('python', 'embedded')).toEqual({
      ready: false,
      reason:
        'No sandbox on this machine runs python with isolation embedded or a stronger one. ' +
        'What it has: quickjs (embedded), deno (container). Ask for one of these, or ask the owner to set up the other.',
    });
    expect(new Sandboxes([], 'No container engine answers').pick('deno', 'container')).toEqual({
      ready: false,
      reason:
        'No sandbox on this machine runs deno with isolation container or a stronger one. No container engine answers.',
    });
  });

  it('takes what is being prepared only where nothing is ready, and says what a run waits for', () => {
    const coming = sandbox('container', ['deno'], { ready: false, coming: true, reason: 'the image is being made' });
    expect(new Sandboxes([embedded, coming]).pick('deno', 'container')).toMatchObject({
      facts: { isolation: 'container' },
      waitsFor: 'the image is being made',
    });
    const both = new Sandboxes([coming, sandbox('gvisor', ['deno'])]);
    expect(both.pick('deno', 'container')).toMatchObject({ facts: { isolation: 'gvisor' }, waitsFor: null });
  });

  it('begins to make what is wanted, and what failed once more', () => {
    const coming = sandbox('container', ['deno'], { ready: false, coming: true, reason: 'not made yet' });
    new Sandboxes([embedded, coming]).pick('deno', 'container');
    expect(coming.prepared).toEqual([]);
    new Sandboxes([embedded, coming]).want('deno', 'container');
    expect(coming.prepared).toEqual(['deno']);
    const failed = sandbox('container', ['deno'], { ready: false, coming: false, reason: 'it failed' });
    expect(new Sandboxes([embedded, failed]).want('deno', 'container').ready).toBe(false);
    expect(failed.prepared).toEqual(['deno']);
  });

  it('tells how the making goes, and resolves once each is ready or known not to be', async () => {
    const coming = sandbox('container', ['deno'], { ready: false, coming: true, reason: 'not made yet' });
    const steps: string[] = [];
    const made = new Sandboxes([embedded, coming]).prepare([], 'container', (step) => steps.push(step));
    coming.setStatus({ ready: false, coming: true, busy: true, reason: 'fetching' });
    coming.setStatus({ ready: false, coming: true, busy: true, reason: 'fetching' });
    coming.setStatus({ ready: true });
    expect(await made).toEqual([
      { runtime: 'deno', isolation: 'container', state: 'ready', detail: '', image: 'fake' },
    ]);
    expect(steps).toEqual(['fetching']);
  });

  it('announces changes, and apart from that when another image would carry runs', () => {
    const backend = sandbox('container', ['deno']);
    const heard: string[] = [];
    const listeners = { changed: () => heard.push('changed'), replaced: () => heard.push('replaced') };
    const stop = new Sandboxes([embedded, backend]).onChange(listeners);
    backend.setStatus({ ready: false, coming: false, reason: 'gone' });
    backend.setCarrier({ ...carrier, image: 'newer' });
    stop();
    backend.setStatus({ ready: true });
    expect(heard).toEqual(['changed', 'changed', 'replaced']);
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
    class Half extends FakeBackend {
      override status(runtime: Runtime = 'deno'): BackendStatus {
        if (runtime === 'deno') return { ready: true };
        if (runtime === 'node') return { ready: false, coming: true, busy: true, reason: 'Node is being made' };
        return { ready: false, coming: true, reason: `${runtime} is not made yet` };
      }
    }
    const half = new Half({ isolation: 'container', runtimes: ['deno', 'node', 'python', 'quickjs'] });
    expect(new Sandboxes([half]).states().container).toBe(
      'ready for Deno. Node is being made. Made when first needed: Python, QuickJS.',
    );
  });
});

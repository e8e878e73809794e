import { beforeAll, describe, expect, it } from 'vitest';
import { compileEngine, Engine, EngineCrash, installedEngine } from './engine.ts';

let module: WebAssembly.Module;
beforeAll(async () => {
  module = await compileEngine(installedEngine());
});

type Call = Readonly<{ operation: string; json: string; bytes: Uint8Array | null }>;

/** An engine whose prelude is `body`; it can call `host`. Gives what `host` was called with. */
async function engineWith(body: string, memoryMb = 64) {
  const engine = await Engine.create(module, memoryMb);
  const calls: Call[] = [];
  engine.install(`(host) => (json, value, bytes) => { ${body} }`, (operation, json, bytes) => {
    calls.push({ operation, json, bytes });
    return operation === 'bytes' ? new Uint8Array([1, 2, 3]) : '"answer"';
  });
  return { engine, calls };
}

describe('the engine', () => {
  it('passes strings and copies of bytes over its border, both ways', async () => {
    const { engine, calls } = await engineWith(
      "const given = new Uint8Array(bytes); host('a', json, bytes); host('b', host('text', '1')); const back = new Uint8Array(host('bytes', '2')); return given[1] + back[2];",
    );
    expect(engine.dispatch({ event: 'x' }, undefined, new Uint8Array([7, 8]))).toBe(11);
    expect(calls.map(({ operation, json }) => [operation, json])).toEqual([
      ['a', '{"event":"x"}'],
      ['text', '1'],
      ['b', '"answer"'],
      ['bytes', '2'],
    ]);
    expect(calls[0]?.bytes).toEqual(new Uint8Array([7, 8]));
  });

  it.each([
    'host({ toString() { globalThis.ran = true; return "a"; } }, "1")',
    'host("a", { toString() { globalThis.ran = true; return "1"; } })',
    'host("a", new Proxy({}, { get() { globalThis.ran = true; } }))',
    'host("a", new String("1"))',
    'host("a", 1)',
    'host("a")',
    'host()',
    'host("a", "1", { get length() { globalThis.ran = true; } })',
    'host("a", "1", new Proxy(new ArrayBuffer(1), { get() { globalThis.ran = true; } }))',
    'host("a", "x".repeat(2 ** 20 + 1))',
  ])(
    'ATTACKS Q269 Q270: no guest code runs under the host, and no value but text and bytes passes: %s',
    async (call) => {
      const { engine, calls } = await engineWith(
        `let thrown = 0; try { ${call}; } catch { thrown = 1; } return thrown + (globalThis.ran ? 10 : 0);`,
      );
      expect(engine.dispatch({})).toBe(1);
      expect(calls).toEqual([]);
    },
  );

  it('has its memory capped where WebAssembly grows it, and tells', async () => {
    const { engine } = await engineWith(
      'const all = []; try { for (;;) all.push(new ArrayBuffer(1 << 20)); } catch { return all.length; }',
    );
    const megabytes = engine.dispatch({});
    expect(megabytes).toBeGreaterThan(30);
    expect(megabytes).toBeLessThan(64);
    expect(engine.ranOutOfMemory).toBe(true);
  });

  it('refuses to write what the guest has no room for, instead of writing it over the guest’s memory', async () => {
    const { engine } = await engineWith(
      'if (bytes) return 1; const all = globalThis.all = []; for (let size = 1 << 20; size > 256; ) { try { all.push(new ArrayBuffer(size)); } catch { size /= 2; } }',
    );
    engine.dispatch({});
    expect(() => engine.dispatch({}, undefined, new Uint8Array(1 << 20))).toThrow('out of memory');
    expect(() => engine.dispatch({})).toThrow(EngineCrash);
  });

  it('is told when to stop, and the guest cannot catch that', async () => {
    const { engine } = await engineWith('for (;;) { try { for (;;); } catch { } finally { } }');
    let asked = 0;
    engine.stopWhen(() => {
      asked += 1;
      return asked > 3;
    });
    expect(engine.dispatch({})).toBeNull();
  });

  it.each([
    ['globalThis.x = 1', true],
    ['await 0', true],
    ['await 0; throw new Error("x")', false],
  ])('tells whether a module has ended or failed: %s', async (code, ok) => {
    const { engine } = await engineWith('return 0;');
    const result = engine.run(code);
    if (!result.ok) throw new Error('did not run');
    engine.runJobs(100);
    expect(engine.settled(result.value)?.ok).toBe(ok);
  });

  it('tells that a module fails at once, or still waits', async () => {
    const { engine } = await engineWith('return 0;');
    expect(engine.run('throw new Error("x")').ok).toBe(false);
    const waiting = engine.run('await new Promise(() => {})');
    expect(waiting.ok && engine.settled(waiting.value)).toBeNull();
  });
});

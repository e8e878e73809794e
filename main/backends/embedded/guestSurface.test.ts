import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DoorRequest, DoorResponse, EgressDoor } from '../../core/door.ts';
import { anyTunnel } from '../../runs/testDoor.ts';
import { programRunner } from './testing.ts';

let runner: Awaited<ReturnType<typeof programRunner>>;
beforeAll(async () => {
  runner = await programRunner();
}, 60_000);
afterAll(() => runner.stop());

type Answer = Readonly<{
  status?: number;
  headers?: readonly (readonly [string, string])[];
  body?: readonly (string | Uint8Array)[];
}>;

/** A door that answers by URL and keeps what it was asked. */
function doorOf(answers: Readonly<Record<string, Answer>>): EgressDoor & { seen: DoorRequest[] } {
  const seen: DoorRequest[] = [];
  return {
    ...anyTunnel,
    seen,
    async request(request): Promise<DoorResponse> {
      seen.push(request);
      const answer = answers[request.url];
      if (answer === undefined)
        return { status: 403, statusText: 'Forbidden', headers: [], body: pieces(['{"error":"host_not_allowed"}']) };
      return {
        status: answer.status ?? 200,
        statusText: 'OK',
        headers: answer.headers ?? [],
        body: pieces(answer.body ?? []),
      };
    },
  };
}

async function* pieces(list: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const piece of list) yield typeof piece === 'string' ? new TextEncoder().encode(piece) : piece;
}

/** Runs a program whose last line prints JSON, and gives the value. */
async function printed(code: string, egress?: EgressDoor): Promise<unknown> {
  const { exit, stdout, stderr } = await runner.run(code, egress === undefined ? {} : { egress });
  expect({ exit, stderr }).toEqual({ exit: { kind: 'exited', exitCode: 0 }, stderr: '' });
  return JSON.parse(stdout);
}

const bodyText = (request: DoorRequest | undefined) =>
  request?.body instanceof Uint8Array ? new TextDecoder().decode(request.body) : null;

describe('the language', { timeout: 60_000 }, () => {
  it('is TypeScript too, with the lines of the source in errors', async () => {
    const { exit, stderr } = await runner.run(
      'interface A { b: string }\nconst f = (a: A): void => {\n  throw new RangeError(a.b);\n};\nf({ b: "here" } as A);',
    );
    expect(exit).toEqual({ kind: 'exited', exitCode: 1 });
    expect(stderr).toBe('Uncaught RangeError: here\n    at f (skill.ts:3:23)\n    at <anonymous> (skill.ts:5:2)\n');
  });

  it.each([
    ['const x = 1;\nconst = 2;', 'SyntaxError', 'skill.ts:2:7'],
    ['const x: number = 1;\nenum A { b }', 'TypeScript enum is not supported', 'skill.ts:2:1'],
  ])('tells where %j is wrong', async (code, message, place) => {
    const { exit, stdout, stderr } = await runner.run(code);
    expect(exit).toEqual({ kind: 'exited', exitCode: 1 });
    expect(stdout).toBe('');
    expect(stderr).toContain(message);
    expect(stderr).toContain(place);
  });

  it('runs nothing of a program with a NUL byte in it', async () => {
    const { exit, stdout } = await runner.run("console.log('shown');\n\0console.log('hidden');");
    expect(exit).toEqual({ kind: 'exited', exitCode: 1 });
    expect(stdout).toBe('');
  });

  it('ends with 13 when a top-level await can never settle', async () => {
    const { exit, stderr } = await runner.run('console.log(1); await new Promise(() => {});');
    expect(exit).toEqual({ kind: 'exited', exitCode: 13 });
    expect(stderr).toContain('never settles');
  });

  it.each([
    'async function main() { await 0; throw new Error("floated"); }\nmain();',
    '(async () => { await 0; throw new Error("floated"); })()',
    'void (async () => { throw new Error("floated"); })();',
    'setTimeout(() => { throw new Error("floated"); }, 1); await new Promise((done) => setTimeout(done, 5000));',
  ])('ends with 1 when nobody catches an error: %s', async (code) => {
    const { exit, stderr } = await runner.run(code);
    expect(exit).toEqual({ kind: 'exited', exitCode: 1 });
    expect(stderr).toContain('Uncaught Error: floated');
  });

  it('stops at exit, whatever stands around it', async () => {
    const { exit, stdout } = await runner.run(
      "try { Deno.exit(4); } catch { console.log('caught'); } finally { console.log('finally'); }",
    );
    expect({ exit, stdout }).toEqual({ exit: { kind: 'exited', exitCode: 4 }, stdout: '' });
    expect((await runner.run('process.exitCode = 7;')).exit).toEqual({ kind: 'exited', exitCode: 7 });
  });

  it('waits for timers and for nothing else', async () => {
    const value = await printed(`
      const seen = [];
      const interval = setInterval(() => { seen.push('i'); if (seen.length === 3) clearInterval(interval); }, 1);
      clearTimeout(setTimeout(() => seen.push('never'), 1));
      setTimeout((a, b) => { seen.push(a + b); console.log(JSON.stringify(seen)); }, 40, 'x', 'y');
      queueMicrotask(() => seen.length === 0 && AbortSignal.timeout(1e9));`);
    expect(value).toEqual(['i', 'i', 'i', 'xy']);
  });
});

describe('what the platform offers', { timeout: 60_000 }, () => {
  it('converts text, base64, URLs and clones as other runtimes do', async () => {
    const program = `
      const url = new URL('../b?x=1#h', 'https://User@Example.COM:8443/a/c');
      url.searchParams.append('y', 'a b&ä'); url.hash = '';
      const decoder = new TextDecoder();
      const bytes = new TextEncoder().encode('aä€😀\\0');
      const streamed = [...bytes].map((byte) => decoder.decode(new Uint8Array([byte]), { stream: true })).join('');
      const original = { map: new Map([['a', new Set([1])]]), date: new Date(5), bytes, list: [1, , 3] };
      original.self = original;
      const copy = structuredClone(original);
      const long = 'ä'.repeat(200000);
      console.log(JSON.stringify({
        href: url.href, host: url.host, params: [...new URLSearchParams('?a=1&a=%20b+c')],
        bad: URL.canParse('no url'), bytes: [...bytes], text: new TextDecoder().decode(bytes), streamed,
        longIsSame: new TextDecoder().decode(new TextEncoder().encode(long)) === long,
        base64: btoa(String.fromCharCode(0, 255, 65)), binary: [...atob('AP9B')].map((c) => c.charCodeAt(0)),
        clone: [copy !== original, copy.self === copy, copy.map.get('a').has(1), copy.date.getTime(), 1 in copy.list],
        lone: JSON.stringify('\\ud800'), encodedLone: [...new TextEncoder().encode('\\ud800')],
      }));`;
    const value = await printed(program);
    const sink: string[] = [];
    await new (Object.getPrototypeOf(async () => {}).constructor)('console', program)({
      log: (line: string) => sink.push(line),
    });
    expect(value).toEqual(JSON.parse(sink[0] ?? ''));
  });

  it('has randomness and hashes', async () => {
    const value = await printed(`
      const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode('abc')));
      const random = crypto.getRandomValues(new Uint32Array(4));
      console.log(JSON.stringify({ hash: [...hash].map((b) => b.toString(16).padStart(2, '0')).join(''), random: [...random], uuid: crypto.randomUUID() }));`);
    expect(value).toEqual({
      hash: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      random: expect.arrayContaining([expect.any(Number)]),
      uuid: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4/),
    });
  });

  it('shows what the environment holds in both ways and lets the program change its own copy', async () => {
    const { stdout } = await runner.run(
      "console.log(Deno.env.get('A'), Deno.env.get('toString'), Deno.env.has('B'), Deno.env.toObject(), process.env.A, Deno.args, process.argv.length);",
      { env: { A: 'placeholder' } },
    );
    expect(stdout).toBe("placeholder undefined false { A: 'placeholder' } placeholder [] 2\n");
  });

  it('formats console output and sends warnings to stderr', async () => {
    const { stdout, stderr } = await runner.run(
      "console.log('%s is %d%% %o', 'x', 5, { a: [1, { b: { c: 1 } }] }, 'end'); console.warn('w'); console.info(new Map([['k', 1]])); console.group('g'); console.debug('two\\nlines');",
    );
    expect(stdout).toBe("x is 5% { a: [ 1, { b: [Object] } ] } end\nMap(1) { 'k' => 1 }\ng\n  two\n  lines\n");
    expect(stderr).toBe('w\n');
  });
});

describe('fetch', { timeout: 60_000 }, () => {
  it('runs the example of the documentation', async () => {
    const door = doorOf({
      'https://api.openai.com/v1/chat/completions': {
        headers: [['content-type', 'application/json']],
        body: ['{"choices":[{"message":{"role":"assistant",', '"content":"Hi!"}}]}'],
      },
    });
    const { exit, stdout } = await runner.run(
      `const response = await fetch('https://api.openai.com/v1/chat/completions', {
  method: 'POST',
  headers: {
    'Authorization': \`Bearer \${Deno.env.get('OPENAI_API_KEY')}\`,
    'Content-Type': 'application/json'
  },
  body: JSON.stringify({model: 'gpt-4', messages: [{role: 'user', content: 'Hello!'}]})
});
console.log(await response.json());`,
      { egress: door, env: { OPENAI_API_KEY: 'placeholder-1' } },
    );
    expect({ exit, stdout }).toEqual({
      exit: { kind: 'exited', exitCode: 0 },
      stdout: '{ choices: [ { message: [Object] } ] }\n',
    });
    expect(door.seen[0]).toMatchObject({ method: 'POST', url: 'https://api.openai.com/v1/chat/completions' });
    expect(door.seen[0]?.headers).toEqual([
      ['authorization', 'Bearer placeholder-1'],
      ['content-type', 'application/json'],
    ]);
    expect(bodyText(door.seen[0])).toBe('{"model":"gpt-4","messages":[{"role":"user","content":"Hello!"}]}');
  });

  it('hands a refusal of the gateway over as the response it is', async () => {
    const value = await printed(
      "const r = await fetch('https://no.test'); console.log(JSON.stringify([r.status, r.ok, await r.json()]));",
      doorOf({}),
    );
    expect(value).toEqual([403, false, { error: 'host_not_allowed' }]);
  });

  it('gives the URL to the gateway as it was written', async () => {
    const door = doorOf({});
    await runner.run(
      "await fetch('https:\\\\\\\\Api.TEST\\\\x').catch(() => {}); await fetch('https://api.test:443/a/../b#f');",
      { egress: door },
    );
    expect(door.seen.map(({ url }) => url)).toEqual(['https:\\\\Api.TEST\\x', 'https://api.test:443/a/../b#f']);
  });

  it('reads bodies in every way, once', async () => {
    const big = new Uint8Array(1_500_000).map((_, index) => index % 251);
    const door = doorOf({
      'https://a.test/big': { body: [big.subarray(0, 900_000), big.subarray(900_000)] },
      'https://a.test/lines': { body: ['one\n', 'two\n'] },
    });
    const value = await printed(
      `const read = async () => fetch('https://a.test/big');
      let sum = 0; for await (const piece of (await read()).body) sum += piece.length;
      const reader = (await read()).body.getReader(); let count = 0;
      for (;;) { const { value, done } = await reader.read(); if (done) break; count += value.length; }
      const bytes = await (await read()).bytes();
      const response = await fetch('https://a.test/lines'); const copy = response.clone();
      const text = await response.text();
      const again = await response.text().catch((error) => error.constructor.name);
      console.log(JSON.stringify({ sum, count, right: bytes.every((b, i) => b === i % 251), length: (await (await read()).arrayBuffer()).byteLength, text, again, used: response.bodyUsed, copied: await copy.text() }));`,
      door,
    );
    expect(value).toEqual({
      sum: 1_500_000,
      count: 1_500_000,
      right: true,
      length: 1_500_000,
      text: 'one\ntwo\n',
      again: 'TypeError',
      used: true,
      copied: 'one\ntwo\n',
    });
  });

  it('sends bodies of every kind with their content type', async () => {
    const door = doorOf({});
    await runner.run(
      `const post = (body) => fetch('https://a.test/', { method: 'POST', body });
      await post('ä'); await post(new URLSearchParams({ a: 'b c' })); await post(new Uint8Array([104, 105])); await post('x'.repeat(600000));
      const form = new FormData(); form.append('name', 'value'); form.append('file', new Blob(['data'], { type: 'text/plain' }), 'f.txt'); await post(form);
      await post({ async *[Symbol.asyncIterator]() { yield new Uint8Array([97]); yield 'b'; } });
      await fetch(new Request('https://a.test/', { method: 'PUT', body: 'put' }), { headers: { 'x-b': 'c' } });`,
      { egress: door },
    );
    const types = door.seen.map((request) =>
      request.headers.find(([name]) => name === 'content-type')?.[1]?.replace(/boundary=.*/, 'boundary'),
    );
    expect(types).toEqual([
      'text/plain;charset=UTF-8',
      'application/x-www-form-urlencoded;charset=UTF-8',
      undefined,
      'text/plain;charset=UTF-8',
      'multipart/form-data; boundary',
      undefined,
      'text/plain;charset=UTF-8',
    ]);
    const bodies = door.seen.map(bodyText);
    expect([bodies[0], bodies[1], bodies[2], bodies[3]?.length, bodies[5], bodies[6]]).toEqual([
      'ä',
      'a=b+c',
      'hi',
      600_000,
      'ab',
      'put',
    ]);
    expect(bodies[4]).toContain('name="file"; filename="f.txt"\r\nContent-Type: text/plain\r\n\r\ndata\r\n');
  });

  it('follows redirects hop by hop, as new requests without what belongs to the first origin', async () => {
    const door = doorOf({
      'https://a.test/': { status: 302, headers: [['location', '/next']] },
      'https://a.test/next': { status: 307, headers: [['location', 'https://b.test/end']] },
      'https://b.test/end': { body: ['done'] },
      'https://a.test/keep': { status: 308, headers: [['location', 'https://b.test/end']] },
    });
    const value = await printed(
      `const headers = { authorization: 'Bearer p', cookie: 'c=d', 'x-own': 'stays', 'content-type': 'text/x' };
      const r = await fetch('https://a.test/', { method: 'POST', body: 'hello', headers });
      await fetch('https://a.test/keep', { method: 'POST', body: 'again', headers });
      console.log(JSON.stringify([r.url, r.redirected, await r.text()]));`,
      door,
    );
    expect(value).toEqual(['https://b.test/end', true, 'done']);
    const names = (request: DoorRequest | undefined) => request?.headers.map(([name]) => name);
    expect(door.seen.map((request) => [request.method, request.url, bodyText(request)])).toEqual([
      ['POST', 'https://a.test/', 'hello'],
      ['GET', 'https://a.test/next', null],
      ['GET', 'https://b.test/end', null],
      ['POST', 'https://a.test/keep', 'again'],
      ['POST', 'https://b.test/end', 'again'],
    ]);
    expect(names(door.seen[1])).toEqual(['authorization', 'cookie', 'x-own']);
    expect(names(door.seen[2])).toEqual(['x-own']);
    expect(names(door.seen[4])).toEqual(['content-type', 'x-own']);
  });

  it('honours redirect: manual and error, and gives up after ten hops', async () => {
    const door = doorOf({ 'https://a.test/loop': { status: 301, headers: [['location', '/loop']] } });
    const value = await printed(
      `const manual = await fetch('https://a.test/loop', { redirect: 'manual' });
      const error = await fetch('https://a.test/loop', { redirect: 'error' }).catch((e) => e.message);
      const loop = await fetch('https://a.test/loop').catch((e) => e.message);
      console.log(JSON.stringify([manual.status, manual.headers.get('location'), error, loop]));`,
      door,
    );
    expect(value).toEqual([301, '/loop', 'fetch failed: unexpected redirect', 'fetch failed: more than 10 redirects']);
    expect(door.seen).toHaveLength(2 + 11);
  });

  it('can be aborted, before and while it waits, and the door is told', async () => {
    let given = 0;
    const egress: EgressDoor = {
      ...anyTunnel,
      request: (request) =>
        new Promise((_resolve, reject) => {
          request.signal?.addEventListener('abort', () => {
            given += 1;
            reject(new Error('aborted'));
          });
        }),
    };
    const value = await printed(
      `const names = [];
      const note = (error) => names.push(error.name);
      await fetch('https://a.test/', { signal: AbortSignal.abort() }).catch(note);
      await fetch('https://a.test/', { signal: AbortSignal.timeout(20) }).catch(note);
      const controller = new AbortController(); setTimeout(() => controller.abort(), 5);
      await fetch('https://a.test/', { signal: controller.signal }).catch(note);
      console.log(JSON.stringify(names));`,
      egress,
    );
    expect(value).toEqual(['AbortError', 'TimeoutError', 'AbortError']);
    expect(given).toBe(2);
  });

  it('fails without telling what is inside the machine', async () => {
    const { stdout } = await runner.run("await fetch('https://a.test/').catch((error) => console.log(String(error)));");
    expect(stdout).toBe('TypeError: fetch failed (CLOSED)\n');
  });

  it('queues more requests than may be open at once', async () => {
    let open = 0;
    let most = 0;
    const egress: EgressDoor = {
      ...anyTunnel,
      async request(): Promise<DoorResponse> {
        open += 1;
        most = Math.max(most, open);
        await new Promise((resolve) => setImmediate(resolve));
        return {
          status: 200,
          statusText: '',
          headers: [],
          body: (async function* () {
            yield new TextEncoder().encode('x');
            open -= 1;
          })(),
        };
      },
    };
    const value = await printed(
      "const all = await Promise.all(Array.from({ length: 200 }, () => fetch('https://a.test/').then((r) => r.text()))); console.log(JSON.stringify(all.join('').length));",
      egress,
    );
    expect(value).toBe(200);
    expect(most).toBeLessThanOrEqual(64);
  });
});

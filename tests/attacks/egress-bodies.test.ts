import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { EgressSecret } from '../../main/core/egressSpec.ts';
import { REDACTION_MASK } from '../../main/core/redaction.ts';
import {
  type EgressHouse,
  fakeKey,
  type OpenSession,
  type Reply,
  send,
  startEgressHouse,
} from '../support/egressHouse.ts';
import { type FrontEnd, frontEnd } from '../support/frontEnds.ts';
import { echo } from '../support/httpsUpstream.ts';

// ATTACKS section E for bodies: a secret goes into a named field of JSON or of a form where the owner said so, and nowhere
// else. Played through both front ends: messages as the embedded sandbox sends them, and bytes of a client in a tunnel.

const host = 'api.allowed.com';
const other = 'other.allowed.com';
const json = 'application/json';
const form = 'application/x-www-form-urlencoded';
const mib = 1024 * 1024;
let house: EgressHouse;
let run: OpenSession;

beforeAll(async () => {
  house = await startEgressHouse([host, other]);
});
afterAll(() => house.close());
afterEach(async () => {
  run.session.close();
  await Promise.all([embedded.close(), container.close()]);
  house.upstream.setAnswer(echo);
});

type Post = (
  type: string,
  body: string | Buffer,
  more?: Readonly<{ to?: string; headers?: Readonly<Record<string, string>> }>,
) => Promise<Reply>;

const embedded = frontEnd('embedded');
const container = frontEnd('container');

async function* halves(bytes: Buffer): AsyncGenerator<Uint8Array> {
  const middle = Math.floor(bytes.length / 2);
  yield bytes.subarray(0, middle);
  yield bytes.subarray(middle);
}

const through =
  ({ send: sendTo }: FrontEnd, inPieces = false): Post =>
  (type, text, { to = host, headers = {} } = {}) => {
    const bytes = Buffer.from(text);
    return sendTo(run.session, `https://${to}/v1`, {
      method: 'POST',
      headers: { 'Content-Type': type, ...headers },
      body: inPieces ? halves(bytes) : bytes,
    });
  };

// A message is one body: only bytes come in chunks.
const doors: readonly (readonly [string, Post])[] = [
  ['a message', through(embedded)],
  ['a tunnel', through(container)],
  ['a tunnel, in chunks', through(container, true)],
];

function open(...secrets: readonly EgressSecret[]): void {
  run = house.open({ secrets });
}

const received = () => house.upstream.received.at(-1);
const body = (): string => received()?.body.toString() ?? '';

describe.each(doors)('through %s', (_door, post) => {
  it('E84 a secret without a place in a body stays a stand-in there, and the record says so', async () => {
    const secret = house.secret();
    open(secret);
    const text = JSON.stringify({ key: secret.placeholder });
    expect((await post(json, text)).status).toBe(200);
    expect(body()).toBe(text);
    expect(run.records).toMatchObject([{ placeholderInBody: true, secrets: [] }]);
    expect(run.trips).toEqual([]);
  });

  it('E84 a JSON field gets it, and every other byte stays', async () => {
    const secret = house.secret({ value: `${fakeKey()} "\\/äß`, json: ['/auth/key'] });
    open(secret);
    const text = (key: string): string =>
      `\t{ "n": 1.0e+2, "big": 12345678901234567890,\r\n "auth" : {"key" :"Key ${key}\\u00e9"}, "é": "\\/", "b":[ ] }\n`;
    const reply = await post(`${json}; charset=utf-8`, text(secret.placeholder));
    expect(body()).toBe(text(JSON.stringify(secret.value).slice(1, -1)));
    expect(received()?.headers['content-length']).toBe(String(received()?.body.length));
    expect(received()?.headers['transfer-encoding']).toBeUndefined();
    expect(JSON.parse(body())).toMatchObject({ auth: { key: `Key ${secret.value}é` } });
    expect(run.records).toMatchObject([{ secrets: ['API_KEY'], placeholderInBody: false, refused: null }]);
    expect(reply.text).toContain(REDACTION_MASK);
    expect(reply.text).not.toContain(secret.value.slice(0, 30));
  });

  it('E84 a form field gets it, and every other byte stays', async () => {
    const secret = house.secret({ value: `${fakeKey()} &=+%;é`, form: ['api key'] });
    open(secret);
    const text = (key: string): string => `a=%7E+b&&c&api+key=x${key}&api%20key=${key}&d=é%`;
    const reply = await post(form, text(secret.placeholder));
    expect(body()).toBe(text(encodeURIComponent(secret.value)));
    expect(new URLSearchParams(body()).getAll('api key')).toEqual([`x${secret.value}`, secret.value]);
    expect(run.records).toMatchObject([{ secrets: ['API_KEY'], placeholderInBody: false }]);
    expect(reply.text).not.toContain(encodeURIComponent(secret.value));
  });

  it('E108 a stand-in in another field of the same body is text', async () => {
    const secret = house.secret({ json: ['/key'], form: ['key'] });
    open(secret);
    const { placeholder, value } = secret;
    const document = { key: placeholder, keys: placeholder, [placeholder]: 1, list: [{ key: placeholder }] };
    await post(json, JSON.stringify(document));
    expect(JSON.parse(body())).toEqual({ ...document, key: value });
    await post(form, `key=${placeholder}&Key=${placeholder}&${placeholder}&${placeholder}=1&key=`);
    expect(body()).toBe(`key=${value}&Key=${placeholder}&${placeholder}&${placeholder}=1&key=`);
    expect(run.records).toMatchObject([{ placeholderInBody: true }, { placeholderInBody: true }]);
    expect(run.trips).toEqual([]);
  });

  it('E80 goes to the hosts it is bound to: towards another one the body is text', async () => {
    const here = house.secret({ name: 'KEY', json: ['/key'] });
    const there = { ...house.secret({ name: 'KEY', hosts: [other], json: ['/key'] }), secretId: 'sec_there' };
    open(here, there);
    const text = JSON.stringify({ key: `${here.placeholder} ${there.placeholder}` });
    await post(json, text, { to: host });
    expect(JSON.parse(body())).toEqual({ key: `${here.value} ${there.placeholder}` });
    await post(json, text, { to: other });
    expect(JSON.parse(body())).toEqual({ key: `${here.placeholder} ${there.value}` });
    expect(run.records).toMatchObject([{ placeholderInBody: true }, { placeholderInBody: true }]);
  });

  it('E84 a body over 1 MiB is refused with the reason; one of exactly 1 MiB goes', async () => {
    const secret = house.secret({ json: ['/key'] });
    open(secret);
    const around = JSON.stringify({ key: secret.placeholder, fill: '' });
    const text = (fill: number): string => around.replace('""', `"${'x'.repeat(fill)}"`);
    const room = mib - around.length;
    const before = house.upstream.connections();
    const refused = await post(json, text(room + 1));
    expect(refused).toMatchObject({ status: 413, error: 'body_too_large' });
    expect(refused.text).toContain('1 MiB');
    expect(house.upstream.connections()).toBe(before);
    expect((await post(json, text(room))).status).toBe(200);
    expect(JSON.parse(body())).toMatchObject({ key: secret.value });
    expect(run.records).toMatchObject([{ refused: 'body_too_large' }, { bytesOut: mib }]);
  });

  it('E84 JSON with a key twice, in any object, is refused: readers do not agree on which one counts', async () => {
    const secret = house.secret({ json: ['/key'] });
    open(secret);
    const before = house.upstream.connections();
    for (const text of [
      `{"key":"a","key":"${secret.placeholder}"}`,
      `{"key":"${secret.placeholder}","k\\u0065y":"a"}`,
      `{"key":"${secret.placeholder}","more":[{"b":1,"b":2}]}`,
    ]) {
      const refused = await post(json, text);
      expect(refused).toMatchObject({ status: 403, error: 'body_unreadable' });
      expect(refused.text).toContain('duplicate_key');
    }
    expect(house.upstream.connections()).toBe(before);
    expect(run.trips).toEqual([]);
  });

  it('E94 a packed body is not touched', async () => {
    const secret = house.secret({ json: ['/key'] });
    open(secret);
    const packed = gzipSync(JSON.stringify({ key: secret.placeholder }));
    await post(json, packed, { headers: { 'Content-Encoding': 'gzip' } });
    expect(received()?.body).toEqual(packed);
    const text = JSON.stringify({ key: secret.placeholder });
    await post(json, text, { headers: { 'Content-Encoding': 'x-unknown' } });
    expect(body()).toBe(text);
    expect(run.records.flatMap(({ secrets }) => secrets)).toEqual([]);
  });

  it.each([
    'text/plain',
    'application/jsonp',
    'application/json, text/plain',
    'application/json; charset=utf-16',
    'application/json; x="; charset=utf-7"',
    'multipart/form-data; boundary=application/json',
    'application/x-ndjson',
  ])('E84 a body that calls itself %s is text', async (type) => {
    const secret = house.secret({ json: ['/key'], form: ['key'] });
    open(secret);
    const text = JSON.stringify({ key: secret.placeholder });
    await post(type, text);
    expect(body()).toBe(text);
    expect(run.records).toMatchObject([{ secrets: [], placeholderInBody: true }]);
  });

  it('E84 the places of JSON are none of a form, and the other way round', async () => {
    const field = house.secret({ name: 'FIELD', form: ['{"key":"', 'key', '/key'] });
    const pointer = house.secret({ name: 'POINTER', json: ['/key', '/='] });
    open(field, pointer);
    const document = JSON.stringify({ key: field.placeholder });
    await post(json, document);
    expect(body()).toBe(document);
    await post(form, `key=${pointer.placeholder}`);
    expect(body()).toBe(`key=${pointer.placeholder}`);
  });
});

describe.each(doors)('tricks with fields, through %s', (_door, post) => {
  it('E88 one pass: a value that holds another stand-in is not looked at again', async () => {
    const inner = house.secret({ name: 'INNER', json: ['/key'], form: ['key'] });
    const outer = house.secret({ name: 'OUTER', value: `v-${inner.placeholder}`, json: ['/key'], form: ['key'] });
    open(outer, inner);
    await post(json, JSON.stringify({ key: outer.placeholder }));
    expect(JSON.parse(body())).toEqual({ key: outer.value });
    await post(form, `key=${outer.placeholder}`);
    expect(body()).toBe(`key=${outer.value}`);
  });

  it('E88 overlapping stand-ins, twice and nested: the longest whole one counts', async () => {
    const short = house.secret({ name: 'SHORT', json: ['/key'] });
    const long = { ...house.secret({ name: 'LONG', json: ['/key'] }), placeholder: `${short.placeholder}x1` };
    open(short, long);
    const half = short.placeholder.slice(0, 9);
    const key = `${long.placeholder}${short.placeholder}${half}${short.placeholder}${short.placeholder.slice(9)}`;
    await post(json, JSON.stringify({ key }));
    expect(JSON.parse(body())).toEqual({
      key: `${long.value}${short.value}${half}${short.value}${short.placeholder.slice(9)}`,
    });
  });

  it('E84 a longer stand-in without this place is not swapped in part', async () => {
    const short = house.secret({ name: 'SHORT', json: ['/key'] });
    const long = { ...house.secret({ name: 'LONG', json: ['/other'] }), placeholder: `${short.placeholder}x1` };
    open(short, long);
    const text = JSON.stringify({ key: long.placeholder });
    await post(json, text);
    expect(body()).toBe(text);
  });

  it.each([
    ['r8_', '\\r8_'],
    ['fw_', '\\fw_'],
    ['BSA', '\\u000BSA'],
  ])(
    'E88 a backslash before a stand-in that begins with %s makes no way out of the string',
    async (prefix, escaped) => {
      const secret = house.secret({ value: `"${fakeKey()}`, json: ['/key'] });
      const placeholder = prefix + secret.placeholder;
      open({ ...secret, placeholder });
      const text = `{"key":"${escaped}${secret.placeholder}"}`;
      await post(json, text);
      expect(body()).toBe(text);
      await post(json, `{"key":"\\\\${placeholder}"}`);
      expect(JSON.parse(body())).toEqual({ key: `\\${secret.value}` });
    },
  );

  it('E84 a semicolon, which ends a field for some servers, keeps the secret out of both', async () => {
    const secret = house.secret({ form: ['key'] });
    open(secret);
    const text = `key=1;comment=${secret.placeholder}&a=1;key=${secret.placeholder}`;
    await post(form, text);
    expect(body()).toBe(text);
  });

  it('E85 the same semicolon in a query stops the run', async () => {
    const secret = house.secret({ query: ['key'] });
    open(secret);
    const reply = await send(run.session, `https://${host}/?key=1;comment=${secret.placeholder}`);
    expect(reply.error).toBe('placeholder_misplaced');
  });

  it('E84 what is not JSON, or not UTF-8, is refused when a stand-in is in it, and goes when none is', async () => {
    const secret = house.secret({ json: ['/key'] });
    open(secret);
    const refused = async (text: string | Buffer) => (await post(json, text)).error;
    const whole = `{"key":"${secret.placeholder}"}`;
    expect(await refused(`${whole}\n${whole}`)).toBe('body_unreadable');
    expect(await refused(`// comment\n${whole}`)).toBe('body_unreadable');
    expect(await refused(`\ufeff${whole}`)).toBe('body_unreadable');
    expect(await refused(whole.replace('}', ',}'))).toBe('body_unreadable');
    expect(await refused(Buffer.from(whole.replace('key', 'k\xff'), 'latin1'))).toBe('body_unreadable');
    expect((await post(json, '{"index":{}}\n{"a":1}\n')).status).toBe(200);
    expect(body()).toBe('{"index":{}}\n{"a":1}\n');
    expect((await post(json, '{"a":1,"a":2}')).status).toBe(200);
  });

  it('E84 pointers with escapes, empty keys and array indexes lead to exactly one string', async () => {
    const secret = house.secret({ json: ['/a~1b/~0', '/list/1/', '/list/01'] });
    open(secret);
    const p = secret.placeholder;
    const text = (key: string): string =>
      `{"a/b":{"~":"${key}"},"a":{"b":{"~":"${p}"}},"list":["${p}",{"":"${key}"},"${p}"]}`;
    await post(json, text(p));
    expect(body()).toBe(text(secret.value));
  });

  it('E84 a stand-in that is written in escapes is not one', async () => {
    const secret = house.secret({ json: ['/key'], form: ['key'] });
    open(secret);
    const escaped = `\\u00${secret.placeholder.charCodeAt(0).toString(16)}${secret.placeholder.slice(1)}`;
    await post(json, `{"key":"${escaped}"}`);
    expect(body()).toBe(`{"key":"${escaped}"}`);
  });

  it('E103 the record counts what the code wrote, not how long the secret is', async () => {
    const secret = house.secret({ value: fakeKey().repeat(9), json: ['/key'] });
    open(secret);
    const text = JSON.stringify({ key: secret.placeholder });
    await post(json, text);
    expect(body().length).toBeGreaterThan(text.length);
    expect(run.records).toMatchObject([{ bytesOut: text.length }]);
  });

  it('E91 a stand-in of another run is text', async () => {
    const old = house.secret({ json: ['/key'] });
    open(house.secret({ json: ['/key'] }));
    const text = JSON.stringify({ key: old.placeholder });
    await post(json, text);
    expect(body()).toBe(text);
  });

  it('E83 a stand-in in a header still stops the run when its body would be fine', async () => {
    const secret = house.secret({ json: ['/key'] });
    open(secret);
    const text = JSON.stringify({ key: secret.placeholder });
    const refused = await post(json, text, { headers: { 'X-Key': secret.placeholder } });
    expect(refused.error).toBe('placeholder_misplaced');
    expect(run.trips).toHaveLength(1);
  });

  it('one body and its headers may carry different secrets', async () => {
    const first = house.secret({ name: 'FIRST', json: ['/key'] });
    const second = house.secret({ name: 'SECOND' });
    open(first, second);
    const headers = { Authorization: `Bearer ${second.placeholder}` };
    await post('application/vnd.api+json', JSON.stringify({ key: first.placeholder }), { headers });
    expect(received()?.headers.authorization).toBe(`Bearer ${second.value}`);
    expect(JSON.parse(body())).toEqual({ key: first.value });
    expect(run.records).toMatchObject([{ secrets: ['FIRST', 'SECOND'] }]);
  });

  it('E93 a field of a request over plain http gets nothing', async () => {
    const lan = await startEgressHouse(['lamp.example.com'], { plain: true });
    try {
      const bound = lan.secret({ hosts: ['*.example.com:8123'], json: ['/key'] });
      run = lan.open({ network: ['lamp.example.com:8123'], secrets: [bound] });
      const reply = await send(run.session, 'http://lamp.example.com:8123/', {
        method: 'POST',
        headers: { 'Content-Type': json },
        body: Buffer.from(JSON.stringify({ key: bound.placeholder })),
      });
      expect(reply.error).toBe('tls_required');
      expect(lan.upstream.connections()).toBe(0);
    } finally {
      await lan.close();
    }
  });
});

describe('a body that is read whole', () => {
  const pieces = (body: AsyncIterable<Uint8Array>, more: object = {}) =>
    send(run.session, `https://${host}/v1`, { method: 'POST', headers: { 'Content-Type': json }, body, ...more });

  it('is given up after the time that one exchange has', async () => {
    run = house.open({ secrets: [house.secret({ json: ['/key'] })], limits: { requestTimeoutMs: 50 } });
    const never = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };
    expect((await pieces(never)).error).toBe('upstream_timeout');
  });

  it('ends with its session', async () => {
    run = house.open({ secrets: [house.secret({ json: ['/key'] })] });
    const never = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          queueMicrotask(() => run.session.close());
          return new Promise<never>(() => {});
        },
      }),
    };
    expect((await pieces(never)).error).toBe('session_closed');
  });

  it('B35 has the length that was said, or does not go', async () => {
    run = house.open({ secrets: [house.secret({ json: ['/key'] })] });
    const before = house.upstream.connections();
    const two = async function* () {
      yield Buffer.from('{}');
    };
    expect((await pieces(two(), { bodyLength: 3 })).error).toBe('aborted');
    expect((await pieces(two(), { bodyLength: 1 })).error).toBe('aborted');
    expect((await pieces(two(), { bodyLength: 2 * mib })).error).toBe('body_too_large');
    expect(house.upstream.connections()).toBe(before);
  });
});

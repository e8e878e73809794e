import { randomBytes } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { REDACTION_MASK } from '../../main/core/redaction.ts';
import { type EgressHouse, fakeKey, type OpenSession, send, startEgressHouse } from '../support/egressHouse.ts';
import { echo } from '../support/httpsUpstream.ts';

// What docs/THREAT-MODEL.md says is not prevented, played through the real gateway: a limit that somebody lifts shall be
// noticed and taken out of that document. Without numbers of the catalogue where the attack succeeds.

const host = 'api.allowed.com';
const other = 'other.allowed.com';
let house: EgressHouse;
let run: OpenSession;

beforeAll(async () => {
  house = await startEgressHouse([host, other]);
});
afterAll(() => house.close());
afterEach(() => {
  run.session.close();
  house.upstream.setAnswer(echo);
});

const authorization = (placeholder: string) => ({ headers: { Authorization: `Bearer ${placeholder}` } });

describe('known limits of redaction', () => {
  const shift = (text: string): string => [...text].map((c) => String.fromCharCode(c.charCodeAt(0) ^ 0x01)).join('');

  it.each<[string, (value: string) => string | Buffer, (bytes: Buffer) => string]>([
    ['with every letter changed', shift, (bytes) => shift(bytes.toString())],
    [
      'percent-encoded three times',
      (value) => [...value].map((c) => `%2525${c.charCodeAt(0).toString(16)}`).join(''),
      (bytes) => decodeURIComponent(decodeURIComponent(decodeURIComponent(bytes.toString()))),
    ],
    [
      'in octal numbers',
      (value) => [...value].map((c) => c.charCodeAt(0).toString(8)).join(' '),
      (bytes) =>
        String.fromCharCode(
          ...bytes
            .toString()
            .split(' ')
            .map((digits) => Number.parseInt(digits, 8)),
        ),
    ],
    ['a letter a line', (value) => [...value].join('\n'), (bytes) => bytes.toString().replaceAll('\n', '')],
    [
      'in two halves with words between',
      (value) => `${value.slice(0, 16)} and ${value.slice(16)}`,
      (bytes) => bytes.toString().replace(' and ', ''),
    ],
    ['in a packed file', (value) => gzipSync(value), (bytes) => gunzipSync(bytes).toString()],
  ])('a service that sends the value back %s gives it to the code', async (_how, disguised, undone) => {
    const secret = house.secret();
    run = house.open({ secrets: [secret] });
    house.upstream.setAnswer((request, response) => {
      response.end(disguised((request.headers.authorization ?? '').replace('Bearer ', '')));
    });
    const { bytes } = await send(run.session, `https://${host}/`, authorization(secret.placeholder));
    expect(undone(bytes)).toBe(secret.value);
  });

  it('a credential that a service makes on demand reaches the code: nobody here knows it', async () => {
    const secret = house.secret();
    const minted = fakeKey();
    run = house.open({ secrets: [secret] });
    house.upstream.setAnswer((_request, response) => {
      response.end(JSON.stringify({ access_token: minted }));
    });
    const reply = await send(run.session, `https://${host}/oauth/token`, {
      method: 'POST',
      ...authorization(secret.placeholder),
    });
    expect(reply.text).toContain(minted);
  });

  it('F113 a guess of the whole value comes back masked, which confirms it; no part and no near miss does', async () => {
    const secret = house.secret();
    run = house.open({ secrets: [secret] });
    const echoed = async (guess: string): Promise<boolean> => {
      const { text } = await send(run.session, `https://${host}/`, { method: 'POST', body: Buffer.from(guess) });
      return text.includes(`"body":"${REDACTION_MASK}"`);
    };
    expect(await echoed(secret.value)).toBe(true);
    for (const guess of [secret.value.slice(0, -1), secret.value.slice(1), `${secret.value.slice(0, -1)}!`]) {
      expect(await echoed(guess)).toBe(false);
    }
  });
});

describe('known limits of an allowed host', () => {
  it('what the code reads at one allowed host it can publish at another', async () => {
    const secret = house.secret();
    const customer = `customer-${randomBytes(12).toString('hex')}`;
    run = house.open({ secrets: [secret] });
    house.upstream.setAnswer((_request, response) => void response.end(customer));
    const { text } = await send(run.session, `https://${host}/customers/1`, authorization(secret.placeholder));
    const posted = await send(run.session, `https://${other}/gists`, { method: 'POST', body: Buffer.from(text) });
    expect(posted.status).toBe(200);
    expect(house.upstream.received.at(-1)?.body.toString()).toBe(customer);
  });

  it('under a wildcard the name itself carries what the code writes into it', async () => {
    run = house.open({ network: ['*.allowed.com'] });
    await send(run.session, 'https://written-by-the-code.allowed.com/');
    expect(house.lookups).toContain('written-by-the-code.allowed.com');
  });

  it('with the secret the code can do there whatever the secret allows', async () => {
    const secret = house.secret();
    run = house.open({ secrets: [secret] });
    const reply = await send(run.session, `https://${host}/everything`, {
      method: 'DELETE',
      ...authorization(secret.placeholder),
    });
    expect(reply.status).toBe(200);
    expect(house.upstream.received.at(-1)).toMatchObject({
      method: 'DELETE',
      headers: { authorization: `Bearer ${secret.value}` },
    });
  });
});

import { describe, expect, it } from 'vitest';
import { FetchTextError } from '../net/fetchText.ts';
import { findCode, type SourceFetch } from './codeSource.ts';
import type { FetchSource } from './ports.ts';

const url = 'https://gist.example.com/owner/skill.ts?key=hidden';

async function find(fetchSource: FetchSource, body: { code?: string; skill_url?: string } = { skill_url: url }) {
  const fetches: SourceFetch[] = [];
  const found = findCode(body, { fetchSource, onFetch: (fetch) => fetches.push(fetch) });
  const result = await found.then(
    ({ text, fetchedFrom }) => ({ text, fetchedFrom }),
    (error: unknown) => String(error),
  );
  return { result, fetches };
}

const sending =
  (bytes: Uint8Array | string, finalUrl = url): FetchSource =>
  async () => ({ bytes: Buffer.from(bytes), finalUrl });

describe('code of a request', () => {
  it('that came in the body was fetched from nowhere, whatever URL stands beside it', async () => {
    const given = await find(sending('other'), { code: '1', skill_url: url });
    expect(given).toEqual({ result: { text: '1', fetchedFrom: null }, fetches: [] });
  });

  it('that was fetched says from which host, also after redirects', async () => {
    expect(await find(sending('12'))).toEqual({
      result: { text: '12', fetchedFrom: 'gist.example.com' },
      fetches: [{ host: 'gist.example.com', outcome: 'ok', bytes: 2 }],
    });
    expect(await find(sending('12', 'https://raw.example.org:8443/x?token=hidden'))).toEqual({
      result: { text: '12', fetchedFrom: 'raw.example.org:8443' },
      fetches: [{ host: 'gist.example.com', outcome: 'ok', bytes: 2, sent_by: 'raw.example.org:8443' }],
    });
  });
});

describe('a fetch', () => {
  it.each<[SourceFetch['outcome'], FetchSource, number | undefined]>([
    ['address_refused', () => Promise.reject(new FetchTextError('address_refused', url, 'private')), undefined],
    ['timeout', () => Promise.reject(new FetchTextError('timeout', url, 'late')), undefined],
    ['failed', () => Promise.reject(new Error('a fault of ours')), undefined],
    ['empty', sending(''), 0],
    ['not_text', sending(new Uint8Array([0xc3, 0x28])), 2],
    ['too_large', sending('x'.repeat(256 * 1024 + 1)), 256 * 1024 + 1],
  ])('that ends with %s is told once, without path and query', async (outcome, fetchSource, bytes) => {
    const { result, fetches } = await find(fetchSource);
    expect(result).toEqual(expect.any(String));
    expect(fetches).toEqual([{ host: 'gist.example.com', outcome, ...(bytes !== undefined && { bytes }) }]);
  });

  it('that cannot be told of gives no code', async () => {
    const onFetch = () => {
      throw new Error('the disk is full');
    };
    await expect(findCode({ skill_url: url }, { fetchSource: sending('1'), onFetch })).rejects.toThrow('full');
  });
});

import { describe, expect, it } from 'vitest';
import { type AuditLink, auditLinkHash, auditPayloadHash, auditPayloadText, genesisHash } from './auditHash.ts';

const link: AuditLink = {
  seq: 1,
  at: 1_700_000_000_000,
  actor: 'desktop',
  kind: 'decision',
  requestId: 'req_1',
  payloadHash: auditPayloadHash('{}'),
  prevHash: genesisHash,
};

describe('the audit hash', () => {
  it('changes with every field that an event has', () => {
    const changed: readonly AuditLink[] = [
      { ...link, seq: 2 },
      { ...link, at: link.at + 1 },
      { ...link, actor: 'cli' },
      { ...link, kind: 'decisions' },
      { ...link, requestId: null },
      { ...link, requestId: 'req_2' },
      { ...link, payloadHash: auditPayloadHash('[]') },
      { ...link, prevHash: '1'.repeat(64) },
    ];
    const hashes = new Set([link, ...changed].map(auditLinkHash));
    expect(hashes.size).toBe(changed.length + 1);
  });

  it('does not let two neighbouring fields trade characters', () => {
    expect(auditLinkHash({ ...link, actor: 'a', kind: 'bc' })).not.toBe(
      auditLinkHash({ ...link, actor: 'ab', kind: 'c' }),
    );
    expect(auditLinkHash({ ...link, actor: 'a","b' })).not.toBe(auditLinkHash({ ...link, actor: 'a', kind: 'b' }));
  });

  it('is the same today as when the log was written', () => {
    expect(auditPayloadHash('{}')).toBe('0a17af6f55e43f1fbae6b8f5869644c3357e397f9f0ae0a07cb1a630bfad1e88');
    expect(auditLinkHash(link)).toBe('1af19c646310fbc51e9acaaaf9a3256e023a9f099a747ef880df9f2190abb4de');
  });

  it('gives payloads that say the same one text, whatever the order of their keys', () => {
    expect(auditPayloadText({ b: 1, a: [2, null] })).toBe('{"a":[2,null],"b":1}');
    expect(auditPayloadText({ a: [2, undefined], b: 1, c: undefined })).toBe('{"a":[2,null],"b":1}');
    expect(auditPayloadText(undefined)).toBe('null');
  });

  it('keeps an event whose text holds half a character', () => {
    expect(auditPayloadText({ name: 'a\ud800b' })).toBe('{"name":"a\uFFFDb"}');
  });
});

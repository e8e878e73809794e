import { describe, expect, it } from 'vitest';
import { exampleBody, manifestOf, secretOf, secretRecord } from '../../tests/support/manifests.ts';
import { formatHostRule, parseNetworkEntry } from './host.ts';
import { rebuildManifest, webSocketConflict } from './manifest.ts';

const network = ['api.openai.com', 'b.example.org', '*.wild.example.org'];
const body = { ...exampleBody, metadata: { ...exampleBody.metadata, network } };

function bound(hosts: readonly string[], requestBindings: Record<string, readonly string[]> = {}) {
  const record = secretRecord('OPENAI_API_KEY');
  const known = secretOf({ ...record, binding: { ...record.binding, hosts } });
  const [secret] = manifestOf(body, { secretOf: known, requestBindings }).secrets;
  return { binding: secret?.binding, hosts: secret?.hosts.map(formatHostRule) };
}

describe('where a secret may go in a request', () => {
  it('is where the owner bound it and the request calls', () => {
    expect(bound(['api.openai.com', 'elsewhere.example.org'])).toEqual({ binding: 'owner', hosts: ['api.openai.com'] });
    expect(bound(['x.wild.example.org'])).toEqual({ binding: 'owner', hosts: ['x.wild.example.org'] });
  });

  it('is nowhere if the request does not call the bound host', () => {
    expect(bound(['elsewhere.example.org'])).toEqual({ binding: 'none', hosts: [] });
    expect(bound([])).toEqual({ binding: 'none', hosts: [] });
  });

  it('is also what was confirmed on the card, if the request calls it', () => {
    expect(bound([], { OPENAI_API_KEY: ['b.example.org'] })).toEqual({ binding: 'request', hosts: ['b.example.org'] });
    expect(bound(['api.openai.com'], { OPENAI_API_KEY: ['b.example.org'] })).toEqual({
      binding: 'request',
      hosts: ['api.openai.com', 'b.example.org'],
    });
    expect(bound([], { OPENAI_API_KEY: ['evil.example.org'] })).toEqual({ binding: 'none', hosts: [] });
    expect(bound([], { OTHER_KEY: ['b.example.org'] })).toEqual({ binding: 'none', hosts: [] });
  });

  it('is nowhere for a secret that the owner has not added', () => {
    const [secret] = manifestOf(body, { secretOf: () => null }).secrets;
    expect(secret).toMatchObject({ secretId: null, binding: 'none', hosts: [] });
  });
});

describe('rebuilding', () => {
  const sandbox = { isolation: 'embedded', carrier: { image: '', runner: 'new', seccomp: '' } } as const;

  it('changes nothing but secrets and what carries the run', () => {
    const before = manifestOf(body, { secretOf: () => null });
    const after = rebuildManifest(before, {
      sandbox,
      secretOf: secretOf(secretRecord('OPENAI_API_KEY')),
      requestBindings: {},
    });
    expect(after.secrets[0]).toMatchObject({ secretId: 'sec_OPENAI_API_KEY', binding: 'owner' });
    expect({ ...after, secrets: before.secrets, carrier: before.carrier }).toEqual(before);
  });

  it('of what did not change is the same', () => {
    const before = manifestOf(body);
    const same = { isolation: before.isolation.actual, carrier: before.carrier };
    const known = secretOf(secretRecord('OPENAI_API_KEY'));
    expect(rebuildManifest(before, { sandbox: same, secretOf: known, requestBindings: {} })).toEqual(before);
  });
});

describe('a WebSocket to a host that a secret is bound to', () => {
  const conflict = (hosts: readonly string[], entry: string) => {
    const record = secretRecord('KEY');
    const known = secretOf({ ...record, binding: { ...record.binding, hosts } });
    return webSocketConflict({ secretNames: ['OTHER', 'KEY'], network: [parseNetworkEntry(entry)] }, known);
  };

  it('is seen before anything is stored, on whatever port', () => {
    for (const hosts of [['a.example.org'], ['a.example.org:8443'], ['*.example.org']]) {
      expect(conflict(hosts, 'wss://a.example.org')).toMatchObject({ secret: 'KEY', rule: { host: 'a.example.org' } });
    }
    expect(conflict(['b.example.org'], 'wss://a.example.org')).toBeNull();
    expect(conflict(['a.example.org'], 'a.example.org')).toBeNull();
  });

  it('is no host that the card can confirm for a secret', () => {
    const record = secretRecord('OPENAI_API_KEY');
    const known = secretOf({ ...record, binding: { ...record.binding, hosts: [] } });
    const requestBindings = { OPENAI_API_KEY: ['wss://live.example.org', 'live.example.org'] };
    const asked = { ...exampleBody, metadata: { network: ['wss://live.example.org'] } };
    expect(manifestOf(asked, { secretOf: known, requestBindings }).secrets[0]).toMatchObject({
      binding: 'none',
      hosts: [],
    });
  });
});

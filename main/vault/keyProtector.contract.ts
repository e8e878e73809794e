import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { type KeyProtector, KeyUnwrapError } from './keyProtector.ts';

export type KeyProtectorSetup = Readonly<{
  protector: KeyProtector;
  /** The same kind of protector with another key behind it, as on another machine or with another passphrase. */
  stranger: KeyProtector;
}>;

/** What the vault relies on, for every protector: the real keyring, the passphrase and the fake alike. */
export function keyProtectorContract(setup: () => KeyProtectorSetup): void {
  it('says that it can be used', async () => {
    expect(await setup().protector.availability()).toEqual({ available: true });
  });

  it('gives back the key that it wrapped', async () => {
    const { protector } = setup();
    const dataKey = randomBytes(32);
    expect(Buffer.from(await protector.unwrap(await protector.wrap(dataKey)))).toEqual(dataKey);
  });

  it('does not show the key in what it wrapped', async () => {
    const { protector } = setup();
    const dataKey = randomBytes(32);
    const wrapped = Buffer.from(await protector.wrap(dataKey));
    for (const encoding of ['latin1', 'hex', 'base64', 'base64url'] as const) {
      expect(wrapped.toString('latin1')).not.toContain(dataKey.toString(encoding));
    }
  });

  it('wraps the same key differently each time', async () => {
    const { protector } = setup();
    const dataKey = randomBytes(32);
    const [one, two] = [await protector.wrap(dataKey), await protector.wrap(dataKey)];
    expect(Buffer.from(one)).not.toEqual(Buffer.from(two));
  });

  it('never opens the slot of a stranger to the right key', async () => {
    const { protector, stranger } = setup();
    const dataKey = randomBytes(32);
    const opened = await stranger.unwrap(await protector.wrap(dataKey)).catch((error: unknown) => error);
    // A keyring without authentication may give rubbish; the vault's check value catches that.
    expect(opened instanceof KeyUnwrapError || (opened instanceof Uint8Array && !dataKey.equals(opened))).toBe(true);
  });

  it('refuses a slot that is no slot with its own error', async () => {
    const { protector } = setup();
    for (const broken of [new Uint8Array(0), Buffer.from('nonsense'), randomBytes(200)]) {
      await expect(protector.unwrap(broken)).rejects.toBeInstanceOf(KeyUnwrapError);
    }
  });

  it('has a name that stays the same', () => {
    const { protector } = setup();
    expect(protector.name).toMatch(/^[a-z]+(:[a-z0-9_]+)?$/);
    expect(protector.name).toBe(protector.name);
  });
}

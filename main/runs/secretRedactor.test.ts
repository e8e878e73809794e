import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { maxSecrets } from '../core/secretRules.ts';
import { SecretRedactor } from './secretRedactor.ts';

const makeValue = (): string => `sk-${randomBytes(16).toString('hex')}`;

describe('the redactor of the vault', () => {
  it('masks every secret that there is, and learns a new value when its version changes', async () => {
    const values = new Map([
      ['a', { version: 1, value: makeValue() }],
      ['b', { version: 1, value: makeValue() }],
    ]);
    let opened = 0;
    const redactor = new SecretRedactor({
      secrets: () => [...values].map(([id, { version }]) => ({ id, name: id, version })),
      value: (id) => {
        opened += 1;
        return values.get(id) ?? null;
      },
    });
    const all = (): string => [...values.values()].map(({ value }) => value).join(' ');
    expect((await redactor.current()).text(all())).toBe('[redacted] [redacted]');
    await redactor.current();
    expect(opened).toBe(2);
    values.set('a', { version: 2, value: makeValue() });
    expect((await redactor.current()).text(all())).toBe('[redacted] [redacted]');
    redactor.forget();
    await redactor.current();
    expect(opened).toBe(6);
  });

  it('E105 stays as it was for whoever holds it, when a value is replaced or the vault locks; the next one knows the new value alone', async () => {
    const [former, next] = [makeValue(), makeValue()];
    let stored = { version: 1, value: former };
    const redactor = new SecretRedactor({
      secrets: () => [{ id: 'a', name: 'A', version: stored.version }],
      value: () => stored,
    });
    const held = await redactor.current();
    stored = { version: 2, value: next };
    redactor.forget();
    expect(held.text(former)).toBe('[redacted]');
    expect((await redactor.current()).text(`${former} ${next}`)).toBe(`${former} [redacted]`);
  });

  it('gives way to everything else while it is built for as many secrets as there may be', async () => {
    const values = Array.from({ length: maxSecrets }, makeValue);
    const redactor = new SecretRedactor({
      secrets: () => values.map((_value, at) => ({ id: `${at}`, name: `S${at}`, version: 1 })),
      value: (id) => ({ value: values[Number(id)] ?? '' }),
    });
    let turns = 0;
    let isBuilt = false;
    const built = redactor.current().finally(() => {
      isBuilt = true;
    });
    while (!isBuilt) {
      await nextTurn();
      turns += 1;
    }
    expect((await built).text(values.join(' '))).toBe(values.map(() => '[redacted]').join(' '));
    // Two secrets a turn, which is a millisecond or two.
    expect(turns).toBeGreaterThan(maxSecrets / 4);
  });

  it('is built once for all who wait for it, of the values that there were when it was asked for', async () => {
    const former = makeValue();
    let stored = { version: 1, value: former };
    let opened = 0;
    const redactor = new SecretRedactor({
      secrets: () => [{ id: 'a', name: 'A', version: stored.version }],
      value: () => {
        opened += 1;
        return stored;
      },
    });
    const waiting = [redactor.current(), redactor.current()];
    expect(opened).toBe(1);
    stored = { version: 2, value: makeValue() };
    redactor.forget();
    const [first, second] = await Promise.all(waiting);
    expect(first?.text(former)).toBe('[redacted]');
    expect(second).toBe(first);
  });
});

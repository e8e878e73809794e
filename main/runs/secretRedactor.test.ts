import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SecretRedactor } from './secretRedactor.ts';

const makeValue = (): string => `sk-${randomBytes(16).toString('hex')}`;

describe('the redactor of the vault', () => {
  it('masks every secret that there is, and learns a new value when its version changes', () => {
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
    expect(redactor.current().text(all())).toBe('[redacted] [redacted]');
    redactor.current();
    expect(opened).toBe(2);
    values.set('a', { version: 2, value: makeValue() });
    expect(redactor.current().text(all())).toBe('[redacted] [redacted]');
    redactor.forget();
    redactor.current();
    expect(opened).toBe(6);
  });

  it('E105 stays as it was for whoever holds it, when a value is replaced or the vault locks; the next one knows the new value alone', () => {
    const [former, next] = [makeValue(), makeValue()];
    let stored = { version: 1, value: former };
    const redactor = new SecretRedactor({
      secrets: () => [{ id: 'a', name: 'A', version: stored.version }],
      value: () => stored,
    });
    const held = redactor.current();
    stored = { version: 2, value: next };
    redactor.forget();
    expect(held.text(former)).toBe('[redacted]');
    expect(redactor.current().text(`${former} ${next}`)).toBe(`${former} [redacted]`);
  });
});

import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REDACTION_MASK, Redactor } from './redaction.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (input: Uint8Array): string => new TextDecoder().decode(input);
const redactorFor = (...values: readonly string[]): Redactor =>
  new Redactor(values.map((value, index) => ({ name: `S${index}`, value })));

/** Feeds the input in the given pieces and joins what comes out. */
function inPieces(redactor: Redactor, input: Uint8Array, sizes: readonly number[]): string {
  const stream = redactor.stream();
  const out: Uint8Array[] = [];
  let offset = 0;
  for (let turn = 0; offset < input.length; turn += 1) {
    const size = Math.max(1, sizes[turn % Math.max(1, sizes.length)] ?? 1);
    out.push(stream.push(input.subarray(offset, offset + size)));
    offset += size;
  }
  out.push(stream.end());
  return text(Buffer.concat(out));
}

const secretText = fc.string({ minLength: 8, maxLength: 40, unit: 'grapheme-ascii' });
const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 });

describe('Redactor', () => {
  it('puts the mask in place of a value and leaves the rest alone', () => {
    expect(redactorFor('s3cr3t-value').text('a s3cr3t-value b')).toBe(`a ${REDACTION_MASK} b`);
  });

  it('leaves a text without secrets as it is, whatever its bytes', () => {
    const redactor = redactorFor('s3cr3t-value', 'another+one/of=them');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), sizes, (input, cuts) => {
        const stream = redactor.stream();
        const out: Uint8Array[] = [];
        for (let offset = 0, turn = 0; offset < input.length; turn += 1) {
          const size = cuts[turn % cuts.length] ?? 1;
          out.push(stream.push(input.subarray(offset, offset + size)));
          offset += size;
        }
        out.push(stream.end());
        expect(Buffer.concat(out).equals(Buffer.from(input))).toBe(true);
        expect(stream.count).toBe(0);
      }),
    );
  });

  it('gives a string without secrets back unchanged, lone surrogates included', () => {
    expect(redactorFor('s3cr3t-value').text('\ud800 x \ufeff')).toBe('\ud800 x \ufeff');
  });

  it('gives the same output however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constant('abab'), fc.constant('ba%61'), fc.string({ maxLength: 6 })), { maxLength: 40 }),
        sizes,
        (parts, cuts) => {
          const redactor = redactorFor('abababab', 'babcabab', 'aaaabaaa');
          const input = bytes(parts.join(''));
          expect(inPieces(redactor, input, cuts)).toBe(text(redactor.bytes(input)));
        },
      ),
    );
  });

  it('finds in one long piece, where it skips, what it finds byte by byte', () => {
    // A stream that is fed single bytes never knows what follows, so it looks at each of them.
    const filler = fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((input) => Buffer.from(input)),
      fc
        .constantFrom('%', '\\\\', '&#x0', 'sk-', '115, ', '736b', 'c2st', 'ab', '\r\n')
        .map((piece) => Buffer.from(piece)),
    );
    const values = fc.array(fc.oneof(secretText, fc.string({ minLength: 1, maxLength: 4, unit: 'grapheme-ascii' })), {
      minLength: 1,
      maxLength: 4,
    });
    const spellings: readonly ((value: string) => Buffer)[] = [
      (value) => Buffer.from(value),
      (value) => Buffer.from(Buffer.from(value).toString('hex')),
      (value) => Buffer.from(Buffer.from(value).toString('base64')),
      (value) => Buffer.from(Buffer.from(`x${value}`).toString('base64url')),
      (value) => Buffer.from(encodeURIComponent(value)),
      (value) => Buffer.from(value, 'utf16le'),
      (value) => Buffer.from([...Buffer.from(value)].join(', ')),
    ];
    const place = fc.record({
      before: filler,
      which: fc.nat(3),
      spelling: fc.nat(spellings.length - 1),
      cut: fc.integer({ min: 0, max: 80 }),
    });
    fc.assert(
      fc.property(values, fc.array(place, { minLength: 1, maxLength: 8 }), (secrets, places) => {
        const redactor = redactorFor(...secrets);
        const parts = places.flatMap(({ before, which, spelling, cut }) => {
          const spelled = spellings[spelling]?.(secrets[which % secrets.length] ?? '') ?? Buffer.alloc(0);
          // Often whole, often only its beginning.
          return [before, cut > 40 ? spelled : spelled.subarray(0, cut)];
        });
        const input = Buffer.concat(parts);
        const whole = redactor.count(input);
        const stream = redactor.stream();
        const slow = Buffer.concat([...[...input].map((byte) => stream.push(Uint8Array.of(byte))), stream.end()]);
        expect(Buffer.from(whole.bytes).equals(slow)).toBe(true);
        expect(whole.count).toBe(stream.count);
      }),
      { numRuns: 300 },
    );
  });

  it('masks every byte of overlapping secrets, so that no tail of the second survives', () => {
    const redactor = redactorFor('abcdefgh12345678', '12345678ijklmnop');
    expect(redactor.text('<abcdefgh12345678ijklmnop>')).toBe(`<${REDACTION_MASK}>`);
  });

  it('counts masks, one for each separate place', () => {
    const redactor = redactorFor('s3cr3t-value');
    const stream = redactor.stream();
    stream.push(bytes('s3cr3t-values3cr3t-value s3cr3t-val'));
    stream.push(bytes('ue'));
    stream.end();
    expect(stream.count).toBe(3);
  });

  it('holds back nothing that cannot become a match', () => {
    const stream = redactorFor('s3cr3t-value').stream();
    expect(text(stream.push(bytes('data: hello\n\n')))).toBe('data: hello\n\n');
    expect(text(stream.push(bytes('data: s3cr')))).toBe('data: ');
    expect(text(stream.push(bytes('et\n\n')))).toBe('s3cret\n\n');
  });

  it('holds back a bounded part of an endless run that always looks like a beginning', () => {
    for (const filler of ['%', '\\', '&#0', '115, ', 's3cr3t-']) {
      const stream = redactorFor('s3cr3t-value').stream();
      let given = 0;
      for (let turn = 0; turn < 2000; turn += 1) given += stream.push(bytes(filler.repeat(10))).length;
      expect(2000 * 10 * filler.length - given).toBeLessThan(2000);
    }
  });

  it('does not keep an endless chain of matches in memory', () => {
    const stream = redactorFor('abababab').stream();
    let given = 0;
    for (let turn = 0; turn < 500; turn += 1) given += stream.push(bytes('ab'.repeat(1000))).length;
    expect(text(stream.end())).toBe('');
    expect(given).toBe(REDACTION_MASK.length);
    expect(stream.count).toBe(1);
  });

  it('never gives out memory of the caller', () => {
    const chunk = bytes('plain\n');
    const given = redactorFor('s3cr3t-value').stream().push(chunk);
    chunk.fill(0x78);
    expect(text(given)).toBe('plain\n');
  });

  it('keeps streams apart that take turns', () => {
    const redactor = redactorFor('s3cr3t-value');
    const streams = [redactor.stream(), redactor.stream(), redactor.stream()];
    const out = streams.map(() => '');
    for (const byte of bytes('a s3cr3t-value s3cr3t-va')) {
      streams.forEach((stream, index) => {
        out[index] += text(stream.push(Uint8Array.of(byte)));
      });
    }
    streams.forEach((stream, index) => {
      out[index] += text(stream.end());
    });
    expect(new Set(out)).toEqual(new Set([`a ${REDACTION_MASK} s3cr3t-va`]));
  });

  it('works with no secrets at all', () => {
    expect(redactorFor().text('anything')).toBe('anything');
    expect(redactorFor('').text('anything')).toBe('anything');
  });

  it('swallows base64 characters that carry bits of the secret and of its neighbour', () => {
    const value = 's3cr3t-value';
    for (const before of ['', 'u', 'us', 'use']) {
      for (const after of ['', 'x', 'xy']) {
        const encoded = Buffer.from(before + value + after).toString('base64');
        const [head = '', tail = ''] = redactorFor(value).text(encoded).split(REDACTION_MASK);
        const known = Buffer.from(`${before}${'\0'.repeat(value.length)}${after}`).toString('base64');
        expect(known.startsWith(head)).toBe(true);
        expect(head.length).toBe(Math.floor((before.length * 8) / 6));
        expect(tail.replace(/=+$/, '').length).toBeLessThanOrEqual(Math.ceil((after.length * 8) / 6));
      }
    }
  });

  it('finds each of several values that begin alike, however long, in every encoding', () => {
    for (const shared of ['sk-proj-', 'x'.repeat(63), 'x'.repeat(64), 'x'.repeat(65)]) {
      // One of them is the beginning of another.
      const values = [`${shared}abcd`, `${shared}abcdefgh`, `${shared}zbcdefgh`];
      const redactor = redactorFor(...values);
      for (const value of values) {
        const raw = Buffer.from(value);
        const list = JSON.stringify([...raw]).slice(1, -1);
        for (const encoded of [value, raw.toString('hex'), raw.toString('base64'), encodeURIComponent(value), list]) {
          expect(redactor.text(encoded).replace(/=*$/, '')).toBe(REDACTION_MASK);
          if (value === values[2]) expect(redactor.text(encoded.slice(0, -8))).not.toContain(REDACTION_MASK);
        }
      }
    }
  });

  it('is ready soon, and small, for long values of one line', () => {
    // Once each character had a graph of all its spellings: 100 values of 4 KiB took half a minute and 2 GB.
    const value = (): string => randomBytes(3072).toString('base64');
    const values = [...Array.from({ length: 20 }, value), randomBytes(48 * 1024).toString('base64')];
    const began = performance.now();
    const redactor = redactorFor(...values);
    expect(performance.now() - began).toBeLessThan(2500);
    for (const whole of values) {
      for (const spelled of [whole, Buffer.from(whole).toString('hex'), encodeURIComponent(whole)]) {
        expect(redactor.text(`<${spelled}>`)).toBe(`<${REDACTION_MASK}>`);
      }
      expect(redactor.text(Buffer.from(whole).toString('base64')).replace(/=*$/, '')).toBe(REDACTION_MASK);
      // One character less is another text.
      expect(redactor.text(whole.slice(0, -1)).length).toBe(whole.length - 1);
    }
  });

  it('leaves the line break after base64 that ends with a line', () => {
    const value = 's3cr3t-value';
    const encoded = Buffer.from(`x${value}yz`).toString('base64');
    expect(
      redactorFor(value)
        .text(`${encoded.slice(0, -1)}\n`)
        .endsWith('\n'),
    ).toBe(true);
  });

  it('masks base64 that lacks the last character, which is shared with what follows', () => {
    const value = 's3cr3t-value-';
    const encoded = Buffer.from(value).toString('base64url');
    expect(redactorFor(value).text(encoded.slice(0, -1))).toBe(REDACTION_MASK);
  });

  it('follows each way into a value once, though many ways lead there', () => {
    const began = performance.now();
    redactorFor(`${'\\'.repeat(16)}k7`).text('\\'.repeat(36));
    expect(performance.now() - began).toBeLessThan(500);
  });

  it('takes as long for many values that begin alike as for one, though the text repeats that beginning', () => {
    const value = (index: number): string => `sk-proj-${String(index).padStart(20, 'k7')}`;
    const spent = (redactor: Redactor, input: Uint8Array): number => {
      const times = [0, 1, 2].map(() => {
        const began = performance.now();
        redactor.bytes(input);
        return performance.now() - began;
      });
      return Math.min(...times);
    };
    const one = redactorFor(value(0));
    const many = redactorFor(...Array.from({ length: 100 }, (_, index) => value(index)));
    for (const piece of ['736b2d70726f6a2d', 'c2stcHJvai', '115, 107, 45, 112, 114, 111, 106, 45, ']) {
      const input = bytes(piece.repeat(500));
      expect(spent(many, input)).toBeLessThan(10 * spent(one, input) + 20);
    }
  });

  it('finds a value at any place of random bytes, in any cut', () => {
    fc.assert(
      fc.property(
        secretText,
        fc.uint8Array({ maxLength: 30 }),
        fc.uint8Array({ maxLength: 30 }),
        sizes,
        (value, before, after, cuts) => {
          const redactor = redactorFor(value);
          const input = Buffer.concat([before, bytes(value), after]);
          const stream = redactor.stream();
          const out: Uint8Array[] = [];
          for (let offset = 0, turn = 0; offset < input.length; turn += 1) {
            const size = cuts[turn % cuts.length] ?? 1;
            out.push(stream.push(input.subarray(offset, offset + size)));
            offset += size;
          }
          out.push(stream.end());
          expect(Buffer.concat(out).includes(Buffer.from(value))).toBe(REDACTION_MASK.includes(value));
          expect(stream.count).toBeGreaterThan(0);
        },
      ),
    );
  });
});

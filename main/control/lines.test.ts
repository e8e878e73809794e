import { describe, expect, it } from 'vitest';
import { LineReader } from './lines.ts';

function reader(maxBytes: number) {
  const lines: string[] = [];
  let overflows = 0;
  const cut = new LineReader(
    maxBytes,
    (line) => lines.push(line),
    () => {
      overflows += 1;
    },
  );
  return { cut, lines, overflows: () => overflows };
}

describe('lines on the control socket', () => {
  it('come out whole however the bytes come in', () => {
    const { cut, lines } = reader(100);
    for (const byte of Buffer.from('{"a":"é"}\n{"b":1}\n\n{"c"')) cut.push(Buffer.from([byte]));
    expect(lines).toEqual(['{"a":"é"}', '{"b":1}']);
    cut.push(Buffer.from(':2}\n{"d":3}\n'));
    expect(lines.slice(2)).toEqual(['{"c":2}', '{"d":3}']);
  });

  it('have a greatest length; nothing follows a longer one', () => {
    const { cut, lines, overflows } = reader(5);
    cut.push(Buffer.from('12345\n123'));
    expect(overflows()).toBe(0);
    cut.push(Buffer.from('456\nok\n'));
    cut.push(Buffer.from('ok\n'));
    expect(overflows()).toBe(1);
    expect(lines).toEqual(['12345']);
  });
});

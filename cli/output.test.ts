import { describe, expect, it } from 'vitest';
import { facts, json, table, visible } from './output.ts';

const hostile = 'name\u001b[2J\u009b1m\u202egpj\u200b\r\u0007';

describe('what is printed', () => {
  it('spells out what a terminal would obey or hide, and keeps line breaks', () => {
    expect(visible(`a\n${hostile}`)).toBe('a\nname\\u{1b}[2J\\u{9b}1m\\u{202e}gpj\\u{200b}\\u{d}\\u{7}');
  });

  it('is the same JSON without characters that a terminal obeys', () => {
    const text = json({ name: hostile, flag: '\u{e0041}' });
    expect(text).not.toMatch(/[^\P{C}\n]/u);
    expect(JSON.parse(text)).toEqual({ name: hostile, flag: '\u{e0041}' });
  });

  it('lines columns up and keeps a row on one line', () => {
    const rows = [
      { name: 'a', hosts: ['x.test', 'y.test'], last: null },
      { name: 'long\nname', hosts: [], last: true },
    ];
    expect(table(rows, ['name', 'hosts', 'last']).split('\n')).toEqual([
      'NAME        HOSTS           LAST',
      'a           x.test, y.test  -',
      'long\\nname  -               yes',
    ]);
  });

  it('says so when there is nothing', () => {
    expect(table([], ['name'])).toBe('none');
  });

  it('prints one fact a line', () => {
    expect(facts({ vault: 'locked', paused: false })).toBe('vault   locked\npaused  no');
  });
});

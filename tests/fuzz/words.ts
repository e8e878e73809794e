import type { Choices } from './choices.ts';

/** What parsers stumble over, wherever it stands. */
const nasty: readonly string[] = [
  '\0',
  '\t',
  '\n',
  '\r',
  '\r\n',
  '\v',
  '\u0085',
  '\u00a0',
  '\u00ad',
  '\u200b',
  '\u200d',
  '\u2028',
  '\u202e',
  '\ufeff',
  '\ud800',
  '\udfff',
  '。',
  '．',
  '｡',
  '／',
  '＠',
  '％',
  '℀',
  'ａ',
  'ſ',
  'K',
  'ß',
  'İ',
  'ｅ',
  '①',
  'а',
  '😀',
  '%',
  '%00',
  '%2e',
  '%2f',
  '%5c',
  '%40',
  '%0d%0a',
  '%25',
  '%zz',
  '%c0%ae',
  '\\',
  '/',
  '//',
  '@',
  '#',
  '?',
  ':',
  ';',
  '&',
  '=',
  '.',
  '..',
  '*',
  '-',
  '_',
  '[',
  ']',
  '{',
  '}',
  '(',
  ')',
  '<',
  '>',
  '"',
  "'",
  '`',
  '|',
  '^',
  '~',
  '!',
  '$',
  '+',
  ',',
  ' ',
];

export const nastyText = (choices: Choices): string => choices.pick(nasty);

/** The text with a few places changed: something put in, taken out, repeated, or its case turned. */
export function mangled(choices: Choices, text: string, most = 3): string {
  let changed = text;
  for (let count = choices.below(most + 1); count > 0; count -= 1) {
    const at = choices.below(changed.length + 1);
    const [head, tail] = [changed.slice(0, at), changed.slice(at)];
    switch (choices.below(6)) {
      case 0:
        changed = head + nastyText(choices) + tail;
        break;
      case 1:
        changed = head + tail.slice(1);
        break;
      case 2:
        changed = head + tail.slice(choices.below(9));
        break;
      case 3:
        changed = head + tail.slice(0, choices.below(9)) + tail;
        break;
      case 4:
        changed = head + tail.slice(0, 1).toUpperCase() + tail.slice(1);
        break;
      default:
        changed = head + String.fromCharCode(choices.below(0x180)) + tail;
    }
  }
  return changed;
}

/** The same for bytes. */
export function mangledBytes(choices: Choices, bytes: Uint8Array, most = 3): Uint8Array {
  let changed = bytes;
  for (let count = choices.below(most + 1); count > 0; count -= 1) {
    const at = choices.below(changed.length + 1);
    const [head, tail] = [changed.subarray(0, at), changed.subarray(at)];
    switch (choices.below(5)) {
      case 0:
        changed = Buffer.concat([head, choices.bytes(1, 4), tail]);
        break;
      case 1:
        changed = Buffer.concat([head, tail.subarray(choices.between(1, 9))]);
        break;
      case 2:
        changed = Buffer.concat([head, tail.subarray(0, choices.below(17)), tail]);
        break;
      case 3:
        changed = Buffer.concat([head, Uint8Array.of((tail[0] ?? 0) ^ (1 << choices.below(8))), tail.subarray(1)]);
        break;
      default:
        changed = Buffer.concat([head, Uint8Array.of(choices.pick([0, 0xff, 0x7f, 0x80, 13, 10])), tail.subarray(1)]);
    }
  }
  return changed;
}

const labels: readonly string[] = [
  'api',
  'example',
  'a',
  'www',
  'evil',
  'x',
  'one',
  'two',
  'co',
  'uk',
  'github',
  'io',
  'com',
  'net',
  'org',
  'de',
  'local',
  'localhost',
  'internal',
  'home',
  'arpa',
  'test',
  'xn--bcher-kva',
  'xn--',
  'xn--a',
  'xn--p1ai',
  'xn--80ak6aa92e',
  'bücher',
  'рф',
  'münchen',
  'straße',
  '0',
  '1',
  '127',
  '255',
  '256',
  '0x7f',
  '0177',
  '2130706433',
  '0x',
  '1e3',
  'a-',
  '-a',
  'a--b',
  'ab--cd',
  'a_b',
  '*',
  '**',
  '',
  ' ',
  'a'.repeat(63),
  'a'.repeat(64),
  'EXAMPLE',
  'ＡＰＩ',
  'ex\u00adample',
  'ex\u200dample',
  '%61pi',
  '①',
  '℡',
];

const literals: readonly string[] = [
  '127.0.0.1',
  '1.2.3.4',
  '0.0.0.0',
  '127.1',
  '0x7f.1',
  '0177.0.0.1',
  '2130706433',
  '0x7f000001',
  '1.2.3',
  '1.2.3.4.',
  '1.2.3.256',
  '01.2.3.4',
  '169.254.169.254',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[fe80::1%25eth0]',
  '[fe80::1%eth0]',
  '[0:0:0:0:0:0:0:1]',
  '[2001:DB8::1]',
  '[::1',
  '::1',
  '[::1]]',
  '[v1.x]',
  '[1.2.3.4]',
  '[::1].com',
];

/** The text of a host: mostly a plain name, else something that looks like one. */
export function hostText(choices: Choices): string {
  switch (choices.below(8)) {
    case 0:
    case 1:
    case 2:
      return `${choices
        .list(0, 3, () => choices.pick(labels.slice(0, 12)))
        .concat('com')
        .join('.')}${choices.rarely(8) ? '.' : ''}`;
    case 3:
      return choices.pick(literals);
    case 4:
      return `${choices.pick(['a'.repeat(63), 'b'.repeat(60)])}.`.repeat(choices.between(1, 4)) + choices.pick(labels);
    default:
      return choices
        .list(1, 4, () => choices.pick(labels))
        .join(choices.pick(['.', '.', '.', '..', '。', '．', '｡', '%2e']));
  }
}

/** `:port`, or what looks like it; mostly nothing. */
export const portText = (choices: Choices): string =>
  choices.pick([
    '',
    '',
    '',
    ':443',
    ':80',
    ':8443',
    ':1',
    ':65535',
    ':',
    ':0',
    ':65536',
    ':0443',
    ':+443',
    ':44 3',
    ':4e2',
    ':443:443',
    ':٤٤٣',
    ':99999999999',
  ]);

import { REDACTION_MASK, Redactor } from '../../../main/core/redaction.ts';
import { checkSecretValue } from '../../../main/core/secretRules.ts';
import { Choices } from '../choices.ts';
import { spellers, survivorIn } from '../spellings.ts';
import { must, target } from '../target.ts';
import { nastyText } from '../words.ts';

type Input = Readonly<{
  /** Which of the sets of secrets. */
  set: number;
  /** Names of the spellings in it, for whoever reads a failure. */
  spelled: readonly string[];
  bytes: Uint8Array;
  pieces: readonly Uint8Array[];
  /** True when nothing of any secret stands in it. */
  isClean: boolean;
}>;

type SecretSet = Readonly<{ values: readonly string[]; redactor: Redactor }>;

const sets = 48;
const letters = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'];
const marks = [...'+/=-_.~!$&\'()*,;:@%"\\<>?#[]{}|^` éÿß'];

/** A value that may be kept: mostly letters and digits, sometimes full of what gets escaped. */
function secretValue(choices: Choices): string {
  const alphabet = choices.rarely(3) ? [...letters, ...marks, ...marks, ...marks] : letters;
  const value = `${choices.pick(['', '', 'sk-', 'ghp_', 'eyJhbGciOi'])}${choices.list(14, 60, () => choices.pick(alphabet)).join('')}`;
  return checkSecretValue(value).ok ? value : `plain${choices.list(12, 12, () => choices.pick(letters)).join('')}`;
}

function secretSet(at: number): SecretSet {
  const choices = Choices.of(0x5ec7e7, at);
  const values = choices.list(1, 5, () => secretValue(choices));
  const [first = ''] = values;
  // One that holds another, and one that begins like it.
  if (choices.rarely(3)) values.push(`${first}${secretValue(choices)}`, `${first.slice(0, 9)}${secretValue(choices)}`);
  return { values, redactor: new Redactor(values.map((value, index) => ({ name: `S${index}`, value }))) };
}

const fillers = [
  'data: {"ok":true}\n\n',
  ' ',
  '%',
  '%4',
  '\\u00',
  '\\\\',
  '&#x',
  '&#0',
  '&amp',
  '115, 107, ',
  '736b2d',
  'c2st',
  'sk-',
  'eyJ',
  'é',
  '<Buffer ',
  '\r\n',
  '=',
  REDACTION_MASK,
  'Basic ',
];

function filler(choices: Choices): Uint8Array {
  switch (choices.below(4)) {
    case 0:
      return Buffer.from(choices.pick(fillers));
    case 1:
      return Buffer.from(choices.pick(fillers).repeat(choices.between(1, 12)));
    case 2:
      return Buffer.from(nastyText(choices));
    default:
      return choices.bytes(0, 24);
  }
}

export const redaction = target({ name: 'redaction', inputs: 130_000, testInputs: 3_000 }, () => {
  const made = Array.from({ length: sets }, (_, at) => secretSet(at));

  function make(choices: Choices): Input {
    const set = choices.below(sets);
    const { values } = made[set] ?? { values: [] };
    const isClean = choices.rarely(5);
    const spelled: string[] = [];
    const parts = choices.list(1, 6, () => {
      const before = filler(choices);
      if (isClean) return before;
      const name = choices.pick(Object.keys(spellers));
      const bytes = spellers[name]?.(choices, choices.pick(values)) ?? Buffer.alloc(0);
      const part = choices.rarely(5) ? bytes.subarray(0, choices.below(bytes.length + 1)) : bytes;
      spelled.push(part === bytes ? name : `part of ${name}`);
      return Buffer.concat([before, part]);
    });
    const bytes = Buffer.concat(parts);
    return { set, spelled, bytes, pieces: choices.pieces(bytes), isClean };
  }

  function check({ set, spelled, bytes, pieces, isClean }: Input): void {
    const { values, redactor } = made[set] ?? { values: [], redactor: new Redactor([]) };
    const whole = redactor.count(bytes);
    const stream = redactor.stream();
    const given = Buffer.concat([...pieces.map((piece) => stream.push(piece)), stream.end()]);
    must(given.equals(whole.bytes) && stream.count === whole.count, 'the output depends on the pieces', {
      whole: whole.bytes,
      given,
    });
    must(!spelled.some((name) => name in spellers) || whole.count > 0, 'a spelling was not found', whole.bytes);
    if (isClean) must(whole.count === 0, 'a text without secrets was changed', whole.bytes);
    if (whole.count === 0)
      must(Buffer.from(bytes).equals(whole.bytes), 'nothing was masked and yet it changed', whole.bytes);
    must(isOnlyMasked(bytes, whole.bytes), 'what is not masked is not what came in', whole.bytes);
    for (const value of values) {
      const survivor = survivorIn(whole.bytes, value);
      must(survivor === null, 'a secret survived', { survivor, value, output: whole.bytes });
    }
  }

  return { make, check };
});

/** True when everything between the masks stood in the input, in this order. */
function isOnlyMasked(input: Uint8Array, output: Uint8Array): boolean {
  const source = Buffer.from(input).toString('latin1');
  let at = 0;
  for (const part of Buffer.from(output).toString('latin1').split(REDACTION_MASK)) {
    const found = source.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return true;
}

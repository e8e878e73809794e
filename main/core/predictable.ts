/** Letters that stand side by side on a keyboard, or follow each other: whoever made the value did not choose them. */
const rows = [
  'abcdefghijklmnopqrstuvwxyz',
  'qwertyuiop',
  'qwertzuiop',
  'azertyuiop',
  'asdfghjkl',
  'zxcvbnm',
  '1234567890',
];
const neighbours: ReadonlySet<string> = new Set(
  rows.flatMap((row) => [...row].flatMap((letter, at) => [letter + row[at + 1], row[at + 1] + letter])),
);
/** What is left to choose in a value, characters. */
const minChosen = 6;
const minDistinct = 5;

/** Longer than most words, shorter than the passwords of 16 letters that services make for apps. */
const maxWordLength = 15;
const maxWords = 3;

/** What people begin a password with, and add digits to. */
const passwordWords: ReadonlySet<string> = new Set([
  ...['admin', 'administrator', 'apikey', 'changeme', 'changeit', 'default', 'demo', 'example', 'hello', 'iloveyou'],
  ...[
    'letmein',
    'login',
    'monkey',
    'passwd',
    'password',
    'pass',
    'placeholder',
    'qwerty',
    'redacted',
    'root',
    'sample',
  ],
  ...['secret', 'sunshine', 'test', 'token', 'user', 'welcome'],
]);
const readAs: Readonly<Record<string, string>> = { 0: 'o', 1: 'i', 3: 'e', 4: 'a', 5: 's', 7: 't', '@': 'a', $: 's' };

const datePattern =
  /^(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})(?:[T ,]+\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)?\s?(?:Z|[+-]\d{2}:?\d{2})?$/;
/** Dates and times without marks, phone numbers, counters; 14 digits are a date with its time. */
const numberPattern = /^[+-]?\d{1,14}(?:\.\d{1,14})?$/;

/**
 * Why a value is one that ordinary text holds too, or that is guessed in a few tries; null when it may be a secret. Such a
 * value cannot be masked: the mask would stand all over harmless output, and confirm each guess.
 */
export function whyPredictable(value: string): string | null {
  const text = value.trim();
  if (datePattern.test(text) || numberPattern.test(text)) {
    return 'The value is a date or a common number; it would be masked all over ordinary output.';
  }
  if (new Set(text).size < minDistinct) return 'The value repeats so few characters that it cannot be a secret.';
  if (chosen(text) < minChosen) return 'The value is a sequence of characters that anybody guesses; it is no secret.';
  if (isWords(text) || isPasswordWord(text)) {
    return 'The value is made of common words; it would be masked all over ordinary output.';
  }
  return null;
}

/** How many characters neither repeat nor follow the one before. */
function chosen(text: string): number {
  const lower = text.toLowerCase();
  return [...lower].filter((letter, at) => {
    const before = lower[at - 1];
    return before === undefined || (before !== letter && !neighbours.has(before + letter));
  }).length;
}

/** One to three words of letters alone, as in names of headers, types, hosts and settings. */
function isWords(text: string): boolean {
  const words = text.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '').split(/[-_./: ]+/);
  return words.length <= maxWords && words.every((word) => word.length <= maxWordLength && isWord(word));
}

const isWord = (word: string): boolean => /^(?:\p{Lu}?\p{Ll}+|\p{Lu}+)$/u.test(word);

/** `Password2024!`, `p@ssw0rd`, `test_1234`. */
function isPasswordWord(text: string): boolean {
  const lower = text.toLowerCase();
  const core = lower.replace(/^[\d\W_]{0,6}|[\d\W_]{0,6}$/g, '');
  const read = (word: string): string => [...word].map((letter) => readAs[letter] ?? letter).join('');
  return passwordWords.has(core) || passwordWords.has(read(core)) || passwordWords.has(read(lower));
}

import { isDeepStrictEqual } from 'node:util';
import { executeBodySchema, metadataSchema, pairBodySchema } from '../../../contract/bridge.ts';
import { controlCommands } from '../../../contract/control.ts';
import { CodedError } from '../../../contract/errors.ts';
import { validated } from '../../../main/bridge/errors.ts';
import { readJson } from '../../../main/bridge/jsonBody.ts';
import { planRequest } from '../../../main/core/requestPlan.ts';
import type { Choices } from '../choices.ts';
import { slowJson } from '../slowJson.ts';
import { must, target } from '../target.ts';
import { hostText, mangled, mangledBytes, nastyText } from '../words.ts';

type Input = Readonly<{ bytes: Uint8Array; command: number }>;

const known = [
  ...Object.keys(executeBodySchema.shape),
  ...Object.keys(metadataSchema.shape),
  'name',
  'value',
  'hosts',
  'id',
];
const odd = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '__defineGetter__',
  'then',
  'length',
  '',
  '0',
  '-1',
  'polluted',
  'to\\u004aSON',
  '\\u005f_proto__',
  '__proto\\u005f_',
  '__pro\\u0074o__',
  'skill\\u005fid',
];
const numbers = [
  '0',
  '1',
  '30',
  '-0',
  '1.5',
  '1e3',
  '1e999',
  '-1E-9',
  '600',
  '601',
  '9007199254740993',
  '00',
  '+1',
  '.5',
  '1.',
  '0x10',
  'NaN',
  '1e',
  '123456789012345678901234567890',
];
const literals = ['null', 'true', 'false', 'True', 'undefined', 'nul', '[]', '{}', '""'];
const texts = [
  '',
  'a/skill',
  'quickjs',
  'node',
  'container',
  'API_KEY',
  'api.example.com',
  'https://example.com/a.js',
  '*.example.com',
  'x'.repeat(130),
];
const spaces = ['', '', '', ' ', '\\t', '\n', '\r\n\t', '\f', '\ufeff', '/**/'];

/** A string literal, its content escaped in one of the ways or not at all. */
function literal(choices: Choices, content: string): string {
  switch (choices.below(5)) {
    case 0:
    case 1:
    case 2:
      return JSON.stringify(content);
    case 3:
      return `"${content}"`;
    default:
      return `"${[...content].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`;
  }
}

function textOf(choices: Choices): string {
  const text = choices.rarely(3) ? hostText(choices) : choices.pick(texts);
  return choices.rarely(4)
    ? text + nastyText(choices) + choices.pick(['', '\\u0000', '\\ud83d', '\\ude00', '\\ud83d\\ude00', '\\', '\\x41'])
    : text;
}

function keyOf(choices: Choices): string {
  if (!choices.rarely(4)) return literal(choices, choices.pick(known));
  return choices.rarely(3) ? literal(choices, textOf(choices)) : `"${choices.pick(odd)}"`;
}

function valueText(choices: Choices, depth: number): string {
  switch (choices.below(depth > 4 ? 4 : 8)) {
    case 0:
      return choices.pick(literals);
    case 1:
      return choices.pick(numbers);
    case 2:
    case 3:
      return literal(choices, textOf(choices));
    case 4:
      return `[${choices.list(0, 4, () => valueText(choices, depth + 1)).join(choices.rarely(30) ? ',,' : ',')}]`;
    case 5:
      return deep(choices, valueText(choices, depth + 1));
    default:
      return objectText(choices, depth + 1);
  }
}

/** Wrapped in many levels: around the limit, and far beyond it. */
function deep(choices: Choices, inner: string): string {
  const levels = choices.pick([1, 5, 28, 30, 31, 32, 33, 200, 5000]);
  return choices.rarely(2)
    ? `${'['.repeat(levels)}${inner}${']'.repeat(levels)}`
    : `${'{"a":'.repeat(levels)}${inner}${'}'.repeat(levels)}`;
}

function objectText(choices: Choices, depth: number): string {
  const pairs = choices.list(0, 5, () => `${keyOf(choices)}${choices.pick(spaces)}:${valueText(choices, depth)}`);
  if (pairs.length > 0 && choices.rarely(6)) pairs.push(choices.pick(pairs));
  return `{${pairs.join(',')}}`;
}

/** A body that the schema takes, so that what is changed in it is judged by more than its first field. */
const goodBody = (choices: Choices): string =>
  JSON.stringify({
    skill_id: 'a/skill',
    code: 'print(1)',
    args: { a: [1, { b: choices.pick(texts) }] },
    metadata: { network: [hostText(choices).slice(0, 300) || 'a.com'], timeout: 5, secrets: ['API_KEY'] },
  });

function make(choices: Choices): Input {
  const text = choices.rarely(3)
    ? goodBody(choices)
    : choices.rarely(5)
      ? valueText(choices, 0)
      : objectText(choices, 0);
  const spaced = `${choices.pick(spaces)}${choices.rarely(3) ? mangled(choices, text) : text}${choices.pick(spaces)}`;
  const bytes = new TextEncoder().encode(spaced);
  return { bytes: choices.rarely(4) ? mangledBytes(choices, bytes) : bytes, command: choices.below(commands.length) };
}

const commands = Object.values(controlCommands).map(({ params }) => params);

/** What it returns, or null when it refuses in its own words. */
function read<Value>(reader: () => Value): { value: Value } | null {
  try {
    return { value: reader() };
  } catch (error) {
    if (error instanceof CodedError && ['invalid_request', 'too_large'].includes(error.code)) return null;
    throw error;
  }
}

function utf8(bytes: Uint8Array): string | null {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  return Buffer.from(text).equals(bytes) ? text : null;
}

const context = { runtime: 'quickjs', minimumIsolation: 'embedded', localNames: new Set<string>() } as const;

function check({ bytes, command }: Input): void {
  const text = utf8(bytes);
  const slow = text === null ? null : slowJson(text);
  const isGood = slow !== null && slow.depth <= 32 && !slow.repeatsKey && !slow.hasProto && !slow.hasHalf;
  const found = read(() => readJson(bytes));
  must(
    (found !== null) === isGood,
    found === null ? 'a good body was refused' : 'a body was taken that must not be',
    slow,
  );
  if (found === null) return;
  must(isDeepStrictEqual(found.value, JSON.parse(text ?? '')), 'it is read as something else', found.value);
  for (const schema of [executeBodySchema, pairBodySchema, ...commands.slice(command, command + 1)]) {
    const parsed = read(() => validated<unknown>(schema, found.value));
    if (parsed === null) continue;
    const again = validated<unknown>(schema, JSON.parse(JSON.stringify(parsed.value)));
    must(isDeepStrictEqual(again, parsed.value), 'what the schema lets pass is another the second time', parsed.value);
  }
  checkPlan(found.value);
  must(!('polluted' in {}) && Object.keys(Object.prototype).length === 0, 'the prototype of all objects was changed');
}

function checkPlan(value: unknown): void {
  const body = read(() => validated(executeBodySchema, value));
  if (body === null) return;
  must(
    Object.keys(body.value).every((key) => Object.hasOwn(executeBodySchema.shape, key)),
    'an unknown key passed',
    body,
  );
  const plan = read(() => planRequest(body.value, {}, context));
  if (plan === null) return;
  const args: unknown = JSON.parse(plan.value.argsJson);
  must(isDeepStrictEqual(args, JSON.parse(JSON.stringify(body.value.args ?? {}))), 'the arguments changed', args);
  const again = planRequest(body.value, {}, context);
  must(isDeepStrictEqual(again, plan.value), 'the same body makes another plan', plan.value);
}

export const bodies = target({ name: 'bodies', inputs: 150_000, testInputs: 4_000 }, () => ({ make, check }));

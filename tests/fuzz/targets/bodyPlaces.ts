import type { DoorRequest, HeaderPair } from '../../../main/core/door.ts';
import type { EgressSecret, Tripwire } from '../../../main/core/egressSpec.ts';
import { type HostRule, parseHostRule } from '../../../main/core/host.ts';
import { silentLog } from '../../../main/core/log.ts';
import { makePlaceholder } from '../../../main/core/placeholder.ts';
import { Redactor } from '../../../main/core/redaction.ts';
import { systemClock } from '../../../main/core/systemClock.ts';
import { EgressGateway } from '../../../main/egress/gateway.ts';
import { trustContext } from '../../../main/net/roots.ts';
import { type BodyKind, outcomeOf } from '../bodyModel.ts';
import { Choices } from '../choices.ts';
import { Mirror, textOf } from '../mirror.ts';
import { must, target } from '../target.ts';
import { mangled, mangledBytes, nastyText } from '../words.ts';

type Place = Readonly<{ origin: string; host: string; port: number; inTheClear: boolean }>;
type Labelled = Readonly<{ headers: readonly HeaderPair[]; kind: BodyKind }>;

type Input = Readonly<{
  place: Place;
  labelled: Labelled;
  bytes: Uint8Array;
  /** Spaces behind it: a few bodies are as long as a body may be. */
  padding: number;
  pieces: readonly Uint8Array[];
}>;

const localNames: ReadonlySet<string> = new Set(['nas.local']);
const rules = (texts: readonly string[]): readonly HostRule[] =>
  texts.map((text) => parseHostRule(text, { localNames }));
const network = rules(['api.one.com', '*.two.com', 'plain.com:8080', 'nas.local:8080', 'evil.com']);

const places: readonly Place[] = [
  { origin: 'https://api.one.com', host: 'api.one.com', port: 443, inTheClear: false },
  { origin: 'https://x.two.com', host: 'x.two.com', port: 443, inTheClear: false },
  { origin: 'https://evil.com', host: 'evil.com', port: 443, inTheClear: false },
  { origin: 'http://plain.com:8080', host: 'plain.com', port: 8080, inTheClear: true },
  { origin: 'https://plain.com:8080', host: 'plain.com', port: 8080, inTheClear: false },
  // Named with its port by the owner, in a house that declared it: it may be told in the clear.
  { origin: 'http://nas.local:8080', host: 'nas.local', port: 8080, inTheClear: false },
];

const typed = (kind: BodyKind, ...types: readonly string[]): readonly Labelled[] =>
  types.map((type) => ({ headers: [['Content-Type', type]], kind }));

const formType = 'application/x-www-form-urlencoded';
const labels: Readonly<Record<'json' | 'form' | 'none', readonly Labelled[]>> = {
  json: typed(
    'json',
    'application/json',
    'application/json; charset=utf-8',
    'APPLICATION/JSON;charset="UTF-8"',
    'application/problem+json',
    'text/json ; x=y',
  ),
  form: typed('form', formType, `${formType};charset=UTF-8`, 'Application/X-WWW-Form-Urlencoded'),
  none: [
    ...typed(
      null,
      'text/plain',
      'application/jsonx',
      'application/json; charset=utf-16',
      `${formType}; charset=latin1`,
      'multipart/form-data; boundary=x',
      'xapplication/json',
      '',
    ),
    { headers: [], kind: null },
    ...(['gzip', 'identity, br', 'x'] as const).map(
      (coding): Labelled => ({
        headers: [
          ['Content-Type', 'application/json'],
          ['Content-Encoding', coding],
        ],
        kind: null,
      }),
    ),
  ],
};

const alphabet = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'];
const chance = Choices.of(0xb0d1e5, 7);
const text = (length: number): string => chance.list(length, length, () => chance.pick(alphabet)).join('');

const secret = (
  name: string,
  hosts: readonly string[],
  prefix: string,
  fields: Readonly<{ json?: readonly string[]; form?: readonly string[] }>,
): EgressSecret => ({
  secretId: `sec_${name}`,
  name,
  value: `fake ${name} "${text(20)}\\ /+&%=;ü`,
  placeholder: makePlaceholder(chance.bytes(96, 96), { prefix }),
  hosts: rules(hosts),
  headers: [],
  query: [],
  path: false,
  json: fields.json ?? [],
  form: fields.form ?? [],
});

const secrets: readonly EgressSecret[] = [
  // Behind a backslash the first letter of this one is part of an escape.
  secret('DEEP', ['api.one.com', 'plain.com:8080'], 'n', {
    json: ['/key', '/auth/token', '/a~1b', '/m~0n', '/~01', '/list/0', '/list/1/key', '/', '/0', '/ü'],
    form: ['key', 'a b', '', 'x[y]', 'tök', '+'],
  }),
  secret('BOTH', ['*.two.com', 'nas.local:8080'], 'sk-', { json: ['/key', '/list/1'], form: ['key'] }),
  secret('SAME', ['api.one.com'], 'u', { json: ['/key', '/other'], form: ['other', 'key'] }),
  secret('HEAD', ['api.one.com'], '', {}),
  secret('ELSEWHERE', ['three.com'], 'ghp_', { json: ['/key', '/other'], form: ['key', 'other'] }),
];

const unicode = (letter: string): string => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;
const percent = (letter: string): string =>
  [...Buffer.from(letter)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');

/** A stand-in, mostly letter for letter. */
function standIn(choices: Choices, spell: (letter: string) => string): string {
  const { placeholder } = choices.pick(secrets);
  const at = choices.below(placeholder.length);
  switch (choices.below(10)) {
    case 5:
      return placeholder.slice(0, at) + spell(placeholder[at] ?? '') + placeholder.slice(at + 1);
    case 6:
      return [...placeholder].map(spell).join('');
    case 7:
      return placeholder + choices.pick(secrets).placeholder;
    case 8:
      return mangled(choices, placeholder, 1);
    case 9:
      return placeholder.toUpperCase();
    default:
      return placeholder;
  }
}

const jsonPieces = [
  '',
  'x',
  ' ',
  'ü',
  '😀',
  '\\n',
  '\\"',
  '\\\\',
  '\\/',
  '\\u0000',
  '\\ud800',
  '\\udc00',
  '\\',
  '\\u12',
];

function stringText(choices: Choices): string {
  const parts = choices.list(0, 3, () =>
    choices.below(2) === 0 ? standIn(choices, unicode) : choices.pick(jsonPieces.slice(0, choices.rarely(8) ? 14 : 12)),
  );
  return `"${choices.rarely(8) ? '\\' : ''}${parts.join('')}"`;
}

const keys = ['key', 'auth', 'token', 'a/b', 'm~n', '~1', 'list', '', '0', '1', 'ü', 'other', '__proto__', 'KEY'];
const spaces = ['', '', '', ' ', '\n\t', '\r\n  '];

function keyText(choices: Choices): string {
  const key = choices.rarely(12) ? standIn(choices, unicode) : choices.pick(keys);
  return choices.rarely(6) ? `"${[...key].map(unicode).join('')}"` : `"${key}"`;
}

function valueText(choices: Choices, depth: number): string {
  switch (choices.below(depth > 3 ? 4 : 8)) {
    case 4:
    case 5:
      return objectText(choices, depth + 1);
    case 6:
      return `[${choices.list(0, 3, () => valueText(choices, depth + 1)).join(`${choices.pick(spaces)},`)}]`;
    case 7:
      return nested(choices);
    case 3:
      return choices.pick([
        '0',
        '-0.0e-0',
        '1E400',
        '10000000000000000000001',
        'true',
        'false',
        'null',
        '01',
        'NaN',
        '',
      ]);
    default:
      return stringText(choices);
  }
}

function nested(choices: Choices): string {
  const levels = choices.pick([1, 2, 30, 505, 509, 510, 511, 512, 513, 9_000]);
  const [open, close] = choices.rarely(2) ? ['[', ']'] : ['{"key":', '}'];
  return `${open.repeat(levels)}${stringText(choices)}${close.repeat(choices.rarely(20) ? levels - 1 : levels)}`;
}

function objectText(choices: Choices, depth: number): string {
  const pairs = choices.list(0, 4, () => {
    const [before, behind] = [choices.pick(spaces), choices.pick(spaces)];
    return `${before}${keyText(choices)}${before}:${behind}${valueText(choices, depth)}${behind}`;
  });
  if (pairs.length > 0 && choices.rarely(12)) pairs.push(choices.pick(pairs));
  return `{${pairs.join(',')}}`;
}

/** A document in which every named place is a string. */
const wholeText = (choices: Choices): string => {
  const at = (): string => stringText(choices);
  const list = `"list":[${at()}, {"key":${at()},"other":${at()}}]`;
  return `{"key":${at()},"auth":{"token":${at()}},"a/b":${at()},"m~n":${at()},"~1":${at()},${list},"":${at()},"0":${at()}}`;
};

function jsonBody(choices: Choices): string {
  const made = choices.rarely(3)
    ? wholeText(choices)
    : choices.rarely(8)
      ? valueText(choices, 0)
      : objectText(choices, 0);
  const around = choices.rarely(12)
    ? [choices.pick(['\ufeff', '\0', '']), choices.pick(['', 'x', '{}', '\ufeff'])]
    : [];
  const changed = choices.rarely(10) ? mangled(choices, made) : made;
  return `${around[0] ?? ''}${choices.pick(spaces)}${changed}${choices.pick(spaces)}${around[1] ?? ''}`;
}

const formNames = ['key', 'other', 'a b', 'a+b', '', 'x[y]', 'tök', '+', '%2B', 'KEY', 'key[]', '?key', '%zz', '%6'];

function formField(choices: Choices): string {
  const name = choices.rarely(12) ? standIn(choices, percent) : choices.pick(formNames);
  const spelled = choices.pick([
    (given: string) => given,
    (given: string) => given.replaceAll(' ', '+'),
    encodeURIComponent,
    (given: string) => [...given].map(percent).join(''),
  ])(name);
  const value = choices.list(0, 3, () =>
    choices.rarely(3)
      ? choices.pick(['', 'x', '+', '%20', '%', '=', ';', 'ü', nastyText(choices)])
      : standIn(choices, percent),
  );
  return `${spelled}${choices.pick(['=', '=', '=', '=', '=', '', '%3d', '=='])}${value.join('')}`;
}

const formBody = (choices: Choices): string =>
  choices.list(0, 5, () => formField(choices)).join(choices.pick(['&', '&', '&', '&', '&&', ';', '\r\n', '%26']));

function make(choices: Choices): Input {
  const shape = choices.pick(['json', 'form'] as const);
  const labelled = choices.pick(labels[choices.rarely(6) ? choices.pick(['none', 'json', 'form'] as const) : shape]);
  const written = Buffer.from(shape === 'json' ? jsonBody(choices) : formBody(choices));
  const bytes = choices.rarely(10) ? mangledBytes(choices, written, 2) : written;
  return {
    place: places[choices.rarely(3) ? choices.below(places.length) : 0] ?? choices.pick(places),
    labelled,
    bytes,
    padding: choices.rarely(2_000) ? 1_048_576 + choices.pick([0, 1, -1, -2]) - bytes.length : 0,
    pieces: bytes.length > 3_000 ? [bytes.subarray(0, 700), bytes.subarray(700)] : choices.pieces(bytes),
  };
}

const limits = { maxRequests: 4, maxConcurrent: 2, maxBytesIn: 9e6, maxBytesOut: 9e6, requestTimeoutMs: 5_000 };

export const bodyPlaces = target({ name: 'body-places', inputs: 80_000, testInputs: 1_500 }, () => {
  const upstream = new Mirror(trustContext([]));
  const redactor = new Redactor(secrets);
  const gateway = new EgressGateway({
    upstream,
    localServices: () => new Map([['nas.local', { address: '192.168.1.5', port: 8080 }]]),
    resolver: async () => ['93.184.215.14'],
    ownAddresses: () => [],
    log: silentLog,
    clock: systemClock,
  });

  async function carry({ place, labelled }: Input, said: Pick<DoorRequest, 'body' | 'bodyLength'>) {
    const trips: Tripwire[] = [];
    upstream.sent = [];
    const onTripwire = (trip: Tripwire): void => void trips.push(trip);
    const session = gateway.open({
      runId: 'run_fuzz',
      rules: network,
      secrets,
      boundHosts: [],
      limits,
      redactor,
      onTripwire,
    });
    const { headers } = labelled;
    const answer = await session.request({ method: 'POST', url: `${place.origin}/`, headers, ...said });
    const given = await textOf(answer);
    session.close();
    return { sent: upstream.sent, records: session.records, given, trips };
  }

  async function check(input: Input): Promise<void> {
    const { place, labelled, padding } = input;
    const behind = Buffer.alloc(Math.max(0, padding), ' ');
    const whole = Buffer.concat([input.bytes, behind]);
    const pieces = behind.length > 0 ? [...input.pieces, behind] : input.pieces;
    const inPieces = async function* (): AsyncGenerator<Uint8Array> {
      yield* pieces;
    };
    const expected = outcomeOf(whole, secrets, { ...place, kind: labelled.kind });
    const ways: readonly Pick<DoorRequest, 'body' | 'bodyLength'>[] = [
      { body: whole },
      { body: inPieces() },
      { body: inPieces(), bodyLength: whole.length },
    ];
    for (const way of ways) {
      const { sent, records, given, trips } = await carry(input, way);
      const [record] = records;
      const out = sent[0]?.body ?? null;
      const facts = { expected, out, record };
      must(records.length === 1 && trips.length === 0, 'a body made more than one row, or tripped a wire', facts);
      must(record?.refused === expected.refused, 'it was refused when it must not be, or the other way round', facts);
      must(
        sent.length === (expected.refused === null ? 1 : 0),
        'what was refused went out, or what was not did not',
        facts,
      );
      for (const { name, value } of secrets) {
        const spelled = [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)];
        must(!spelled.some((one) => given.includes(one)), 'the code was given a value', { name, given });
      }
      if (expected.refused !== null || out === null) continue;
      must(out === expected.body, 'another body went out', facts);
      must(JSON.stringify(record?.secrets) === JSON.stringify(expected.used), 'other secrets were written down', facts);
      must(record?.bytesOut === whole.length, 'the length that was written down is not what the code wrote', facts);
      const isLeft = secrets.some(({ placeholder }) => out.includes(placeholder));
      must(record.placeholderInBody === isLeft, 'a stand-in that went out as text was not noticed', facts);
      if (expected.used.length > 0 && labelled.kind === 'json') checkMeaning(whole, out);
    }
  }

  return { make, check };
});

/** With the values put back, what a server reads is what the code said. */
function checkMeaning(written: Buffer, out: string): void {
  const read = (json: string): string => JSON.stringify(JSON.parse(json));
  const back = secrets.reduce(
    (json, { value, placeholder }) => json.replaceAll(JSON.stringify(value).slice(1, -1), placeholder),
    read(Buffer.from(out, 'latin1').toString('utf8')),
  );
  must(back === read(written.toString('utf8')), 'a server reads something else than the code said', { back });
}

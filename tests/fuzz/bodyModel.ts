import type { EgressSecret } from '../../main/core/egressSpec.ts';
import { allows } from './oracles.ts';
import { slowJson } from './slowJson.ts';

// A slow second opinion on what becomes of a body with stand-ins, character by character.

export type BodyKind = 'json' | 'form' | null;

export type Outcome =
  | Readonly<{ refused: 'body_unreadable' | 'body_too_large' | 'tls_required' }>
  /** What goes out, one character a byte, and the names of the secrets in it. */
  | Readonly<{ refused: null; body: string; used: readonly string[] }>;

export type Situation = Readonly<{ kind: BodyKind; host: string; port: number; inTheClear: boolean }>;

const maxBytes = 1024 * 1024;
const maxDepth = 512;

const latin1 = (text: string): string => Buffer.from(text).toString('latin1');

const tokensOf = (pointer: string): string =>
  JSON.stringify(
    pointer
      .split('/')
      .slice(1)
      .map((token) => token.split('~1').join('/').split('~0').join('~')),
  );

/** The text with each stand-in replaced that does not begin inside an escape. */
function filled(
  text: string,
  secrets: readonly EgressSecret[],
  escapes: boolean,
  value: (one: EgressSecret) => string,
) {
  let made = '';
  for (let at = 0; at < text.length; ) {
    const here = secrets.find(({ placeholder }) => text.startsWith(placeholder, at));
    const escaped = escapes && text[at] === '\\' ? (text[at + 1] === 'u' ? 6 : 2) : 0;
    const taken = here === undefined ? Math.max(1, escaped) : here.placeholder.length;
    made += here === undefined ? text.slice(at, at + taken) : value(here);
    at += taken;
  }
  return made;
}

type Fill = Readonly<{ body: string; used: ReadonlySet<string> }>;

function filledJson(text: string, secrets: readonly EgressSecret[]): Fill | null {
  const slow = slowJson(text, maxDepth);
  if (slow === null || slow.repeatsKey) return null;
  const used = new Set<string>();
  let made = '';
  let done = 0;
  for (const { path, start, end } of slow.strings) {
    const placed = secrets.filter(({ json }) => json.some((pointer) => tokensOf(pointer) === JSON.stringify(path)));
    const inside = filled(text.slice(start, end), placed, true, ({ name, value }) => {
      used.add(name);
      return JSON.stringify(value).slice(1, -1);
    });
    made += text.slice(done, start) + inside;
    done = end;
  }
  return { body: latin1(made + text.slice(done)), used };
}

/** The name of a field as the platform's own reader has it. */
function nameOf(field: string): string {
  const spelled = [...field].map((letter) =>
    letter > '\x7f' || letter === '?' ? `%${letter.charCodeAt(0).toString(16).padStart(2, '0')}` : letter,
  );
  const [name] = new URLSearchParams(`${spelled.join('')}=`).keys();
  return name ?? '';
}

function filledForm(text: string, secrets: readonly EgressSecret[]): Fill {
  const used = new Set<string>();
  const fields = text.split('&').map((field) => {
    const [name = '', ...values] = field.split('=');
    if (values.length === 0 || field.includes(';')) return field;
    const placed = secrets.filter(({ form }) => form.includes(nameOf(name)));
    const value = filled(values.join('='), placed, false, (one) => {
      used.add(one.name);
      return encodeURIComponent(one.value);
    });
    return `${name}=${value}`;
  });
  return { body: fields.join('&'), used };
}

/** What has to become of this body towards this host. */
export function outcomeOf(
  bytes: Uint8Array,
  all: readonly EgressSecret[],
  { kind, host, port, inTheClear }: Situation,
): Outcome {
  const asItIs = (): Outcome => ({ refused: null, body: Buffer.from(bytes).toString('latin1'), used: [] });
  if (kind === null) return asItIs();
  const bound = all.filter((one) => one[kind].length > 0 && one.hosts.some((rule) => allows(rule, host, port)));
  if (bound.length === 0) return asItIs();
  if (bytes.length > maxBytes) return { refused: 'body_too_large' };
  const standing = bound.filter(({ placeholder }) => Buffer.from(bytes).includes(placeholder));
  if (standing.length === 0) return asItIs();
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const isUtf8 = Buffer.from(text).equals(bytes);
  const fill =
    kind === 'form'
      ? filledForm(Buffer.from(bytes).toString('latin1'), standing)
      : isUtf8
        ? filledJson(text, standing)
        : null;
  if (fill === null) return { refused: 'body_unreadable' };
  if (inTheClear && fill.used.size > 0) return { refused: 'tls_required' };
  return { refused: null, body: fill.body, used: [...fill.used].sort() };
}

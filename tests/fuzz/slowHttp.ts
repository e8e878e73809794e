// Empty lines before a request mean nothing (section 2.2), a lone LF among them. Several spaces after the method mean one (RFC 9112, section 3).

/** One request as it reaches the door; the body as one character a byte. */
export type SlowRequest = Readonly<{
  method: string;
  url: string;
  headers: readonly (readonly [name: string, value: string])[];
  body: string;
}>;

type Cut = Readonly<{ text: string; rest: string }>;

/** What stands before the mark, and what behind it; null when the mark is not there. */
function cutAt(text: string, mark: string): Cut | null {
  const at = text.indexOf(mark);
  return at < 0 ? null : { text: text.slice(0, at), rest: text.slice(at + mark.length) };
}

const tokenMarks = "!#$%&'*+-.^_`|~";
const isToken = (text: string): boolean =>
  text !== '' && [...text].every((letter) => /[0-9A-Za-z]/.test(letter) || tokenMarks.includes(letter));

function headerOf(line: string): readonly [string, string] | null {
  const cut = cutAt(line, ':');
  if (cut === null || !isToken(cut.text)) return null;
  const value = cut.rest.replace(/^[ \t]+|[ \t]+$/g, '');
  return [...value].every((letter) => letter === '\t' || (letter >= ' ' && letter !== '\x7f'))
    ? [cut.text, value]
    : null;
}

function unchunked(text: string): Cut | null {
  let body = '';
  let rest = text;
  for (;;) {
    const line = cutAt(rest, '\r\n');
    const size = line?.text.split(';')[0]?.trimEnd() ?? '';
    if (line === null || !/^[0-9a-fA-F]{1,12}$/.test(size)) return null;
    const length = Number.parseInt(size, 16);
    if (length === 0) {
      const trailers = line.rest.startsWith('\r\n')
        ? { text: '', rest: line.rest.slice(2) }
        : cutAt(line.rest, '\r\n\r\n');
      if (
        trailers === null ||
        (trailers.text !== '' && trailers.text.split('\r\n').some((one) => headerOf(one) === null))
      )
        return null;
      return { text: body, rest: trailers.rest };
    }
    if (line.rest.slice(length, length + 2) !== '\r\n') return null;
    body += line.rest.slice(0, length);
    rest = line.rest.slice(length + 2);
  }
}

/** RFC 9112, section 6.3, with every doubt a refusal. */
function bodyOf(headers: SlowRequest['headers'], rest: string): Cut | null {
  const named = (name: string): readonly string[] =>
    headers.filter(([one]) => one.toLowerCase() === name).map(([, value]) => value);
  const [codings, lengths] = [named('transfer-encoding'), named('content-length')];
  if (codings.length > 0) {
    const last = codings.join(',').split(',').at(-1)?.trim().toLowerCase();
    return lengths.length > 0 || last !== 'chunked' ? null : unchunked(rest);
  }
  if (lengths.length === 0) return { text: '', rest };
  const [length = ''] = lengths;
  if (lengths.length > 1 || !/^[0-9]{1,15}$/.test(length) || rest.length < Number(length)) return null;
  return { text: rest.slice(0, Number(length)), rest: rest.slice(Number(length)) };
}

function requestIn(text: string, origin: string | null): Readonly<{ request: SlowRequest; rest: string }> | null {
  const head = cutAt(text.replace(/^[\r\n]+/, ''), '\r\n\r\n');
  if (head === null) return null;
  const [line = '', ...lines] = head.text.split('\r\n');
  const [method = '', url = '', version = '', ...more] = line.replace(/^([^ ]+) +/, '$1 ').split(' ');
  const headers = lines.map(headerOf);
  const good = headers.filter((header) => header !== null);
  if (more.length > 0 || version !== 'HTTP/1.1' || !isToken(method) || url === '' || good.length < headers.length)
    return null;
  const body = bodyOf(good, head.rest);
  if (body === null) return null;
  const seen = origin === null ? url : url.startsWith('/') ? `${origin}${url}` : '';
  return { request: { method, url: seen, headers: good, body: body.text }, rest: body.rest };
}

/** What stands behind a CONNECT, and the origin of what is asked there; null when the next request is none. */
function tunnelIn(text: string): Readonly<{ rest: string; origin: string }> | null {
  const head = cutAt(text.replace(/^[\r\n]+/, ''), '\r\n\r\n');
  const [line = '', ...lines] = head?.text.split('\r\n') ?? [];
  const [, authority] = /^CONNECT +([^ ]+) HTTP\/1\.[01]$/.exec(line) ?? [];
  if (head === null || authority === undefined || lines.some((one) => headerOf(one) === null)) return null;
  const at = authority.lastIndexOf(':');
  return { rest: head.rest, origin: `http://${authority.slice(0, at)}:${Number(authority.slice(at + 1))}` };
}

/**
 * The requests at the beginning of a connection to a proxy and of the tunnel in it, up to the first that leaves a doubt;
 * with an origin: those in the tunnel to it.
 */
export function slowRequests(text: string, within: string | null = null): readonly SlowRequest[] {
  const found: SlowRequest[] = [];
  let rest = text;
  let origin = within;
  for (;;) {
    const tunnel = tunnelIn(rest);
    if (tunnel !== null && origin !== null) return found;
    if (tunnel !== null) {
      ({ rest, origin } = tunnel);
      continue;
    }
    const next = requestIn(rest, origin);
    if (next === null) return found;
    found.push(next.request);
    rest = next.rest;
  }
}

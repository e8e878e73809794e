import { STATUS_CODES } from 'node:http';
import type { DoorResponse, HeaderPair } from '../core/door.ts';

/** Every way in which the gateway says no: the status that the code sees and what to do about it. */
const refusals = {
  session_closed: [403, 'The run is over; nothing leaves it any more.'],
  request_limit: [429, 'The run made as many requests as it may.'],
  busy: [429, 'Too many requests are open at once; read or cancel the bodies of earlier answers.'],
  upload_limit: [413, 'The run sent as many bytes as it may.'],
  download_limit: [502, 'The run received as many bytes as it may.'],
  method_not_allowed: [403, 'Use GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS, in capitals.'],
  url_invalid: [403, 'Write the URL as https://host/path, without user name, backslash or odd port.'],
  scheme_not_allowed: [403, 'Port 443 is for https; plain http needs a port of its own in metadata.network.'],
  header_invalid: [403, 'A header has an unusable name or value, or stands there twice.'],
  headers_too_large: [403, 'Send fewer or shorter headers.'],
  host_mismatch: [403, 'Leave the Host header out; it is taken from the URL.'],
  upgrade_refused: [403, 'Declare wss://host in metadata.network for a WebSocket; there is no other upgrade.'],
  websocket_refused: [403, 'A secret of this run goes to this host, so no WebSocket may; use plain requests.'],
  host_not_allowed: [403, 'Declare it in metadata.network and ask for approval again.'],
  placeholder_misplaced: [
    403,
    'A secret may stand in the Authorization header or a place that the owner allowed for it, nowhere else. The run is stopped.',
  ],
  body_too_large: [
    413,
    'A secret of this run may stand in the body towards this host, so such a body is read whole: at most 1 MiB.',
  ],
  body_unreadable: [
    403,
    'A secret goes only into JSON that every reader reads alike: valid, in UTF-8, no key twice in an object.',
  ],
  secret_not_bound: [403, 'The owner did not bind this secret to this host.'],
  secret_unusable: [403, 'The value of this secret does not fit into a header; ask the owner to enter it again.'],
  tls_required: [403, 'A secret travels over https only.'],
  address_refused: [502, 'The name leads to a private or own address; the owner can declare it as a local service.'],
  dns_failed: [502, 'The name has no usable address; check its spelling and the network.'],
  upstream_tls: [502, 'The certificate of the host is not trusted, expired or for another name.'],
  upstream_unreachable: [502, 'The host does not accept connections.'],
  upstream_timeout: [502, 'The host did not answer in time.'],
  upstream_protocol: [502, 'The host broke the HTTP protocol or closed the connection.'],
  encoding_refused: [502, 'The answer came in a content encoding that cannot be checked for secrets.'],
  aborted: [502, 'The request was given up.'],
  internal: [502, 'The gateway failed; nothing was sent. The log of the app says more.'],
} as const satisfies Readonly<Record<string, readonly [status: number, hint: string]>>;

export type RefusalCode = keyof typeof refusals;

/** A request or an answer stopped by us. Thrown inside the gateway, shown to the code as a response. */
export class Refusal extends Error {
  readonly code: RefusalCode;
  /** The one fact that helps: Node's error code, a header name. Ours or canonical, never a secret. */
  readonly detail: string | null;

  constructor(code: RefusalCode, detail: string | null = null) {
    super(detail === null ? code : `${code}: ${detail}`);
    this.name = 'Refusal';
    this.code = code;
    this.detail = detail;
  }
}

/** Thrown while the body of an answer is read: the answer is incomplete. */
export class EgressStreamError extends Error {
  readonly code: RefusalCode;

  constructor(code: RefusalCode) {
    super(`The answer broke off (${code}). ${refusals[code][1]}`);
    this.name = 'EgressStreamError';
    this.code = code;
  }
}

export const refusalStatus = (code: RefusalCode): number => refusals[code][0];

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** The refusal as the code sees it. */
export function refusalResponse(refusal: Refusal, host: string): DoorResponse {
  const [status, hint] = refusals[refusal.code];
  const body = new TextEncoder().encode(
    JSON.stringify({
      error: refusal.code,
      ...(host === '' ? {} : { host }),
      ...(refusal.detail === null ? {} : { detail: refusal.detail }),
      hint,
    }),
  );
  const headers: readonly HeaderPair[] = [
    ['content-type', 'application/json'],
    ['content-length', String(body.length)],
  ];
  return { status, statusText: STATUS_CODES[status] ?? '', headers, body: single(body), refused: true };
}

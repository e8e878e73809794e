import { randomBytes } from 'node:crypto';
import type { DoorRequest, DoorResponse, HeaderPair } from '../../main/core/door.ts';
import type { EgressLimits, EgressSecret, ExchangeRecord, Tripwire } from '../../main/core/egressSpec.ts';
import { type HostRule, parseNetworkEntry } from '../../main/core/host.ts';
import { silentLog } from '../../main/core/log.ts';
import { makePlaceholder, placeholderRandomBytes } from '../../main/core/placeholder.ts';
import { Redactor } from '../../main/core/redaction.ts';
import { EgressGateway } from '../../main/egress/gateway.ts';
import type { EgressSession } from '../../main/egress/session.ts';
import type { LocalService } from '../../main/net/localServices.ts';
import type { Resolver } from '../../main/net/resolve.ts';
import { trustContext } from '../../main/net/roots.ts';
import { Upstream } from '../../main/net/upstream.ts';
import { type Authority, makeAuthority } from './certificates.ts';
import { startUpstream, type UpstreamServer } from './httpsUpstream.ts';

export const generousLimits: EgressLimits = {
  maxRequests: 100,
  maxConcurrent: 8,
  maxBytesIn: 10_000_000,
  maxBytesOut: 10_000_000,
  requestTimeoutMs: 20_000,
};

/** A random, obviously fake key. */
export const fakeKey = (): string => `sk-fake-${randomBytes(24).toString('base64url')}`;

export type SecretOptions = Readonly<{
  name?: string;
  value?: string;
  hosts?: readonly string[];
  headers?: readonly string[];
  query?: readonly string[];
  path?: boolean;
  json?: readonly string[];
  form?: readonly string[];
}>;

export type SessionOptions = Readonly<{
  network?: readonly string[];
  secrets?: readonly EgressSecret[];
  /** Hosts that a secret of the run is bound to, besides those of `secrets`. */
  boundHosts?: readonly HostRule[];
  limits?: Partial<EgressLimits>;
  /** Told besides `trips`. */
  onTripwire?: (event: Tripwire) => void;
}>;

export type OpenSession = Readonly<{
  session: EgressSession;
  records: readonly ExchangeRecord[];
  trips: Tripwire[];
}>;

const hostRules = (texts: readonly string[], localNames: ReadonlySet<string>) =>
  texts.map((text) => parseNetworkEntry(text, { localNames }));

/**
 * A gateway in front of one TLS server that plays every host: names in `services` lead to it as local services (or to
 * what the test says), all others to `resolver`, by default nowhere.
 */
export type EgressHouse = Readonly<{
  authority: Authority;
  upstream: UpstreamServer;
  gateway: EgressGateway;
  /** Names a resolver was asked for. */
  lookups: string[];
  /** The owner's list; change it to play an owner who edits it. */
  services: Map<string, LocalService>;
  secret(options?: SecretOptions): EgressSecret;
  open(options?: SessionOptions): OpenSession;
  close(): Promise<void>;
}>;

export async function startEgressHouse(
  names: readonly string[],
  options: Readonly<{ resolver?: Resolver; ownAddresses?: () => readonly string[]; plain?: boolean }> = {},
): Promise<EgressHouse> {
  const authority = await makeAuthority();
  const upstream = await startUpstream(options.plain === true ? null : await authority.issue(names));
  const services = new Map<string, LocalService>(
    names.map((name) => [name, { address: '127.0.0.1', port: upstream.port }]),
  );
  const lookups: string[] = [];
  const gateway = new EgressGateway({
    upstream: new Upstream(trustContext([authority.certPem])),
    localServices: () => services,
    resolver: (host) => {
      lookups.push(host);
      return options.resolver === undefined ? Promise.reject(new Error('no such name')) : options.resolver(host);
    },
    ...(options.ownAddresses === undefined ? {} : { ownAddresses: options.ownAddresses }),
    log: silentLog,
    clock: { wallMs: () => Date.now(), monotonicMs: () => performance.now() },
  });
  const localNames: ReadonlySet<string> = new Set(services.keys());
  return {
    authority,
    upstream,
    gateway,
    lookups,
    services,
    secret: ({
      name = 'API_KEY',
      value = fakeKey(),
      hosts = names.slice(0, 1),
      headers = [],
      query = [],
      path = false,
      json = [],
      form = [],
    } = {}) => ({
      secretId: `sec_${name}`,
      name,
      value,
      placeholder: makePlaceholder(randomBytes(placeholderRandomBytes)),
      hosts: hostRules(hosts, localNames),
      headers,
      query,
      path,
      json,
      form,
    }),
    open({ network = names, secrets = [], boundHosts = [], limits = {}, onTripwire } = {}) {
      const trips: Tripwire[] = [];
      const session = gateway.open({
        runId: 'run_test',
        rules: hostRules(network, localNames),
        secrets,
        boundHosts: [...boundHosts, ...secrets.flatMap(({ hosts }) => hosts)],
        limits: { ...generousLimits, ...limits },
        redactor: new Redactor(secrets),
        onTripwire: (event) => {
          trips.push(event);
          onTripwire?.(event);
        },
      });
      return { session, records: session.records, trips };
    },
    close: () => upstream.close(),
  };
}

export type Reply = Readonly<{
  status: number;
  headers: readonly HeaderPair[];
  bytes: Buffer;
  text: string;
  /** Error code of a refusal, or null when the body is not one of ours. */
  error: string | null;
}>;

export function errorIn(text: string): string | null {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null || !('error' in parsed)) return null;
    return typeof parsed.error === 'string' ? parsed.error : null;
  } catch {
    return null;
  }
}

export async function readReply(response: DoorResponse): Promise<Reply> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const text = bytes.toString('utf8');
  return { status: response.status, headers: response.headers, bytes, text, error: errorIn(text) };
}

export type SendRequest = Partial<Omit<DoorRequest, 'headers'>> &
  Readonly<{ headers?: Readonly<Record<string, string>> | readonly HeaderPair[] }>;

/** Sends one request through a session and reads the whole answer. */
export async function send(session: EgressSession, url: string, request: SendRequest = {}): Promise<Reply> {
  const { headers = [], ...rest } = request;
  const pairs: readonly HeaderPair[] = Array.isArray(headers) ? headers : Object.entries(headers);
  return readReply(await session.request({ method: 'GET', body: null, ...rest, url, headers: pairs }));
}

import type { Duplex } from 'node:stream';

/**
 * The egress door as a sandbox backend sees it: one normalised request in, one stream out.
 * Front ends (messages for the embedded sandbox, proxy and TLS for containers) translate to it; the egress gateway
 * behind it is in `egress/`. A refusal by policy is an ordinary response (403 with a JSON body), never an exception.
 */
export type HeaderPair = readonly [name: string, value: string];

export type DoorRequest = Readonly<{
  method: string;
  /** Absolute URL text exactly as the code wrote it; the gateway canonicalises or refuses it. */
  url: string;
  headers: readonly HeaderPair[];
  body: Uint8Array | AsyncIterable<Uint8Array> | null;
  /** Exact number of bytes of a body in pieces, when the code said it: not every server takes chunks. */
  bodyLength?: number;
  /** Aborts the upstream exchange when the code gives up or the run ends. */
  signal?: AbortSignal;
}>;

export type DoorResponse = Readonly<{
  status: number;
  statusText: string;
  headers: readonly HeaderPair[];
  /** Redacted already. Iterating it is what pulls bytes from the upstream. */
  body: AsyncIterable<Uint8Array>;
  /** True when the door said no, instead of the host. */
  refused?: true;
}>;

/** Whether a proxy tunnel may be opened: the one host it is for, or the answer that refuses it. */
export type TunnelVerdict =
  /** Canonical host, as it stands in a certificate; an IPv6 address is in brackets. */
  Readonly<{ ok: true; host: string; port: number }> | Readonly<{ ok: false; refusal: DoorResponse }>;

/** Whether a WebSocket is open: what the code is told of it and its bytes, or the answer that refuses it. */
export type WebSocketVerdict =
  | Readonly<{
      ok: true;
      /** Headers of the 101. */
      headers: readonly HeaderPair[];
      /**
       * Takes over the connection of the code, both ways, until it is over; both ends are closed then. Called at most once.
       * Never rejects. A caller that has no connection any more aborts the signal of its request instead.
       */
      relay(code: Duplex): Promise<void>;
    }>
  | Readonly<{ ok: false; answer: DoorResponse }>;

/** What a front end refused by itself, before there was a request that a door could judge. */
export type EarlyRefusal = Readonly<{
  code:
    | 'request_invalid'
    | 'headers_too_large'
    | 'http_version'
    | 'transfer_coding'
    | 'busy'
    | 'too_slow'
    | 'tunnel_protocol'
    | 'tls_refused'
    | 'internal';
  /** What the code was answered with, 0 for nothing. */
  status: number;
  /** As the code wrote it, empty where nothing could be read. */
  method: string;
  /** Of the tunnel, or as the code wrote it; empty where neither is known. */
  url: string;
}>;

export interface EgressDoor {
  request(request: DoorRequest): Promise<DoorResponse>;
  /** Judges a request that asks for an upgrade and opens what it asks for; never rejects. */
  webSocket(request: DoorRequest): Promise<WebSocketVerdict>;
  /**
   * Judges the authority of a CONNECT (`host:port`, exactly as the code wrote it) before anything is answered. A refusal
   * is recorded like that of a request. An opened tunnel grants nothing: each request in it is judged by itself.
   */
  tunnel(authority: string): TunnelVerdict;
  /** Records what a front end refused: counted like a request, with nothing of what the code wrote but a canonical host. */
  refusedEarly(refusal: EarlyRefusal): void;
}

/**
 * Translates the TCP connections of one sandbox (HTTP proxy requests, and TLS inside tunnels) into requests at a door.
 * Made together with the sandbox, before it is known what will run in it.
 */
export interface ProxyFrontEnd {
  /** Certificate of the authority that signs for the hosts of this one run; its key never leaves the front end. */
  readonly authorityPem: string;
  /** From now on connections are served; earlier ones are refused. Called once. */
  open(door: EgressDoor): void;
  /** Takes over one connection of the sandbox until it ends. Never throws, whatever comes in. */
  serve(connection: Duplex): void;
  /** Cuts every connection. */
  close(): void;
}

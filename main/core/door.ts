/**
 * The egress door as a sandbox backend sees it: one normalised request in, one stream out.
 * Front ends (messages for the embedded sandbox, proxy and TLS for containers) translate to it; the engine behind it
 * is in `egress/`. A refusal by policy is an ordinary response (403 with a JSON body), never an exception.
 */
export type HeaderPair = readonly [name: string, value: string];

export type DoorRequest = Readonly<{
  method: string;
  /** Absolute URL text exactly as the code wrote it; the engine canonicalises or refuses it. */
  url: string;
  headers: readonly HeaderPair[];
  body: Uint8Array | AsyncIterable<Uint8Array> | null;
  /** Aborts the upstream exchange when the code gives up or the run ends. */
  signal?: AbortSignal;
}>;

export type DoorResponse = Readonly<{
  status: number;
  statusText: string;
  headers: readonly HeaderPair[];
  /** Redacted already. Iterating it is what pulls bytes from the upstream. */
  body: AsyncIterable<Uint8Array>;
}>;

export interface EgressDoor {
  request(request: DoorRequest): Promise<DoorResponse>;
}

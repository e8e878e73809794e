/** Bounds of one front end: what the code of one run can make the host hold or do. */
export type ProxyLimits = Readonly<{
  /** Open at once; more are answered with 503. How fast they come is the tunnel's to bound. */
  maxConnections: number;
  /** Requests of one connection that wait for an earlier one; the next is answered with 429 and is the last. */
  maxPipelined: number;
  /** Request line and headers together. The session has narrower bounds of its own. */
  maxHeadBytes: number;
  /** From the connection to the end of the first head, with everything before it: CONNECT, TLS. */
  firstHeadMs: number;
  /** From an answer to the end of the next head. */
  idleMs: number;
  /** How long and how much is still taken in after an answer that is the last. */
  lingerMs: number;
  lingerBytes: number;
}>;

export const proxyLimits: ProxyLimits = {
  maxConnections: 256,
  maxPipelined: 4,
  maxHeadBytes: 81_920,
  firstHeadMs: 30_000,
  idleMs: 120_000,
  lingerMs: 1_000,
  lingerBytes: 1_048_576,
};

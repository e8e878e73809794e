import type { ServerOptions } from 'node:http2';
import { runnerProtocol } from '../../../contract/runnerProtocol.ts';
import type { BucketRate } from '../../core/tokenBucket.ts';

/**
 * What one sandbox may do to the host through its tunnel. A runner that behaves stays far below all of it; what is
 * above is the code having taken it over, and ends the run.
 */
export const tunnelLimits = {
  /** From the attach, just before the container starts, until the runner waits for a job, ms. */
  readyWithinMs: 30_000,
  /** Connections to the proxy; what is faster is answered 503. One client was seen to retry 4000 times a second. */
  connections: { capacity: 1000, perMinute: 12_000 } satisfies BucketRate,
  /** Answered so; then the run ends. */
  refusedConnections: 5000,
  /** The runner sends none of these. */
  pings: 20,
  /** It sends its settings once. */
  settings: 4,
} as const;

const { connections, refusedConnections } = tunnelLimits;

/** The server's end of a tunnel. Counts and sizes beyond these are refused by nghttp2 and Node themselves. */
export const tunnelServerOptions: ServerOptions = {
  maxSessionMemory: 64,
  maxHeaderListPairs: 16,
  maxSettings: 16,
  maxOutstandingPings: 4,
  maxSessionInvalidFrames: 10,
  maxSessionRejectedStreams: 10,
  // Code may cut every connection that it may open: the usual 1000 and 33 a second would end its run before.
  // Node 20.18 (Electron 33) does not know these two: there, nghttp2's 1000 and 33 a second hold all the same.
  streamResetBurst: connections.capacity + refusedConnections,
  streamResetRate: connections.perMinute / 60,
  maxDeflateDynamicTableSize: 4096,
  peerMaxConcurrentStreams: runnerProtocol.maxStreams,
  settings: {
    initialWindowSize: runnerProtocol.streamWindow,
    maxConcurrentStreams: runnerProtocol.maxStreams,
    maxHeaderListSize: 4096,
    headerTableSize: 4096,
    enablePush: false,
  },
};

/** How much a run may use the network, all requests together and inclusive. `open`: requests and WebSockets at a time. */
export type TrafficLimits = Readonly<{ requests: number; open: number; bytesIn: number; bytesOut: number }>;

const mib = 1024 * 1024;

/** What every run gets; nobody can ask for more. */
export const runTraffic: TrafficLimits = { requests: 1000, open: 16, bytesIn: 256 * mib, bytesOut: 64 * mib };

/** What a manifest means that says nothing about it, and every trust key that was made so far. Never changes. */
export const unsaidTraffic: TrafficLimits = { requests: 1000, open: 16, bytesIn: 256 * mib, bytesOut: 64 * mib };

/** True when the manifest means what it would mean if it said nothing. */
export const isUnsaid = (traffic: TrafficLimits): boolean =>
  traffic.requests === unsaidTraffic.requests &&
  traffic.open === unsaidTraffic.open &&
  traffic.bytesIn === unsaidTraffic.bytesIn &&
  traffic.bytesOut === unsaidTraffic.bytesOut;

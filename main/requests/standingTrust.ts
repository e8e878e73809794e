import { trustKey } from '../core/digest.ts';
import type { Manifest } from '../core/manifestTypes.ts';
import type { Records, TrustEntry } from '../core/records.ts';
import { trustIsLive } from '../core/trustPolicy.ts';

type Now = Readonly<{ wallMs: number; clockBehind: boolean }>;

/** The standing decision that allows this now: for these very arguments, else for any. */
export function standingTrust(manifest: Manifest, records: Pick<Records, 'liveTrust'>, now: Now): TrustEntry | null {
  for (const argsPolicy of ['exact', 'any'] as const) {
    const entry = records.liveTrust(trustKey(manifest, argsPolicy), now.wallMs);
    if (entry !== null && entry.argsPolicy === argsPolicy && trustIsLive(entry, now)) return entry;
  }
  return null;
}

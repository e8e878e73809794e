import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Records } from '../core/records.ts';
import type { SettingsBook } from './settings.ts';

const dayMs = 24 * 60 * 60 * 1000;
const everyMs = 6 * 60 * 60 * 1000;

/** Forgets old results and traffic now and every six hours, by the owner's settings. Returns what ends it. */
export function startRetention(
  deps: Readonly<{ records: Pick<Records, 'prune'>; settings: SettingsBook; clock: Clock; log: Log }>,
): () => void {
  const prune = (): void => {
    const { records, settings, clock, log } = deps;
    const nowMs = clock.wallMs();
    try {
      records.prune({
        resultsBefore: nowMs - settings.get('retention.results_days') * dayMs,
        trafficBefore: nowMs - settings.get('retention.traffic_days') * dayMs,
      });
    } catch (error) {
      log.warn(
        { error: error instanceof Error ? error.name : 'unknown' },
        'Old rows could not be removed; tried again later',
      );
    }
  };
  prune();
  const timer = setInterval(prune, everyMs);
  return () => clearInterval(timer);
}

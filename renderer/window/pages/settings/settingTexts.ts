import { isolationNames, isolations, runtimeNames, runtimes } from '../../../../contract/runtime.ts';
import type { SettingKey } from '../../../../contract/settings.ts';

/** Value and what it is called. */
type Choice = readonly [value: string, label: string];

export type SettingText = Readonly<{
  label: string;
  hint?: string;
  /** Of a number: what it counts. */
  unit?: string;
  /** Of a text: what it can be. */
  choices?: readonly Choice[];
}>;

export const settingTexts: Readonly<Record<SettingKey, SettingText>> = {
  'app.start_at_login': { label: 'Start OAuth3 when you log in', hint: 'While it does not run, agents get nothing.' },
  'approval.expires_minutes': { label: 'An unanswered request expires after', unit: 'minutes' },
  'notify.cards': {
    label: 'Notifications for new requests',
    hint: 'Without them look for new requests here, at the tray icon and in Telegram.',
  },
  'notify.run_once': {
    label: 'Run Once on notifications',
    hint: 'A notification cannot show the code. Trust is never offered there.',
    choices: [
      ['never', 'never'],
      ['seen', 'for what you approved before'],
      ['always', 'always'],
    ],
  },
  'pairing.open': {
    label: 'Agents on this machine may ask to be paired',
    hint: 'You compare a code on the card before one gets a token.',
  },
  'runtime.default': {
    label: 'Runtime when a request names none',
    choices: runtimes.map((runtime) => [runtime, runtimeNames[runtime]]),
  },
  'isolation.minimum': {
    label: 'Weakest isolation that code may run in',
    hint: 'Whatever a request asks for, nothing runs in less.',
    choices: isolations.map((isolation) => [isolation, isolationNames[isolation]]),
  },
  'pool.size': {
    label: 'Sandboxes kept ready for each runtime',
    hint: 'A run starts faster in one that stands ready; each takes some memory.',
  },
  'engine.allow_remote': {
    label: 'The container engine may be on another machine',
    hint: 'Code and stand-ins leave this one then. Holds from the next start.',
  },
  'limits.pending_per_agent': { label: 'One agent may have waiting at the same time', unit: 'requests' },
  'limits.requests_per_minute': { label: 'One agent may send in a minute', unit: 'requests' },
  'limits.concurrent_runs': { label: 'At the same time there are at most', unit: 'runs' },
  'limits.concurrent_runs_per_agent': { label: 'Of one agent at the same time at most', unit: 'runs' },
  'retention.results_days': { label: 'Results are kept for', unit: 'days' },
  'retention.traffic_days': {
    label: 'Rows about traffic are kept for',
    unit: 'days',
    hint: 'The audit chain itself is kept.',
  },
};

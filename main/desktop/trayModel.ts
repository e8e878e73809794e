import type { RequestState, VaultState } from '../../contract/states.ts';
import { toSegments } from '../core/display.ts';
import { segmentText } from '../core/segmentText.ts';

/**
 * What the tray shows, computed from facts; each state has an icon of its own shape. `preparing`: what is being made for
 * the sandbox, in a sentence.
 */
export type TrayFacts = Readonly<{
  waiting: number;
  running: number;
  paused: boolean;
  vault: VaultState;
  preparing: string | null;
  /** The last runs, newest first. */
  recent: readonly RecentRun[];
}>;
export type RecentRun = Readonly<{ requestId: string; skillId: string; status: RequestState }>;
export type TrayIcon = 'idle' | 'waiting' | 'running' | 'paused' | 'locked';

export function trayIcon(facts: TrayFacts): TrayIcon {
  if (facts.vault !== 'unlocked') return 'locked';
  if (facts.paused) return 'paused';
  if (facts.waiting > 0) return 'waiting';
  return facts.running > 0 ? 'running' : 'idle';
}

export function trayTooltip(facts: TrayFacts): string {
  switch (trayIcon(facts)) {
    case 'locked':
      return 'OAuth3: the vault is locked';
    case 'paused':
      return 'OAuth3: paused, nothing new runs';
    case 'waiting':
      return `OAuth3: ${waitingText(facts.waiting)}`;
    case 'running':
      return `OAuth3: ${facts.running} running`;
    case 'idle':
      return `OAuth3: ${facts.preparing ?? 'nothing waits'}`;
  }
}

export function waitingText(waiting: number): string {
  if (waiting === 0) return 'Nothing waits for you';
  return waiting === 1 ? '1 request waits for you' : `${waiting} requests wait for you`;
}

/** The file that draws an icon on this system, by the forms that `scripts/icons.ts` makes. */
export function trayIconFile(icon: TrayIcon, platform: NodeJS.Platform): string {
  switch (platform) {
    case 'darwin':
      // By this ending macOS takes it for a template, and finds the larger one beside it.
      return `${icon}Template.png`;
    case 'win32':
      return `${icon}.ico`;
    default:
      return `${icon}.png`;
  }
}

const maxLabel = 40;

/** A run in the menu: one short line. An agent chose the skill's name; a single `&` would be taken for a shortcut (ATTACKS 252). */
export function recentLabel({ skillId, status }: RecentRun): string {
  const name = segmentText(toSegments(skillId, { maxChars: maxLabel }));
  return `${name}: ${status}`.replaceAll('&', '&&');
}

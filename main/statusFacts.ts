import type { HealthView } from '../contract/bridge.ts';
import type { Isolation, Runtime } from '../contract/runtime.ts';
import type { VaultState } from '../contract/states.ts';
import type { SandboxChoice } from './core/manifest.ts';
import type { Records } from './core/records.ts';
import type { StatusFacts } from './owner/ports.ts';
import type { Sandboxes } from './runs/sandboxes.ts';

const isReady = (choice: SandboxChoice): boolean => choice.ready && choice.waitsFor === null;

type TelegramState = HealthView['telegram'];

export type StatusParts = Readonly<{
  version: string;
  url: () => string;
  dataDir: string;
  records: Pick<Records, 'health' | 'pendingRequests'>;
  vault: Readonly<{ state(): VaultState; lockReason(): string | null }>;
  sandboxes: Sandboxes;
  /** Resolves once each sandbox is ready or known not to be. */
  sandboxesSettled: Promise<void>;
  defaultRuntime: () => Runtime;
  minimumIsolation: () => Isolation;
  /** What the owner should know about the container engine in use, a plain sentence each. */
  engineWarnings: () => readonly string[];
  telegram: () => Readonly<{ status(): Promise<TelegramState>; readonly problem: string | null }> | null;
}>;

async function telegramState({ telegram }: StatusParts): Promise<TelegramState> {
  return (await telegram()?.status()) ?? 'not_configured';
}

/** `GET /health`: each part is asked now. `degraded` as INTERFACES 1 says. */
export async function healthView(parts: StatusParts, detailed: boolean): Promise<HealthView> {
  const { records, vault, sandboxes, version } = parts;
  const database = records.health();
  const telegram = await telegramState(parts);
  await parts.sandboxesSettled;
  const good =
    database === 'ok' &&
    vault.state() === 'unlocked' &&
    telegram !== 'disconnected' &&
    isReady(sandboxes.pick(parts.defaultRuntime(), parts.minimumIsolation()));
  const view: HealthView = { status: good ? 'ok' : 'degraded', telegram, database };
  return detailed ? { ...view, vault: vault.state(), sandbox: sandboxes.states(), version } : view;
}

/** What the owner's status shows beyond the owner's own books; `notes` say what is missing and how to add it. */
export async function statusFacts(parts: StatusParts): Promise<StatusFacts> {
  const telegram = await telegramState(parts);
  await parts.sandboxesSettled;
  return {
    version: parts.version,
    platform: platformText(process.versions),
    url: parts.url(),
    data_dir: parts.dataDir,
    sandbox: parts.sandboxes.states(),
    sandboxes: parts.sandboxes.list(),
    telegram,
    database: parts.records.health(),
    waiting: parts.records.pendingRequests().length,
    notes: missingParts(parts),
    engine_notes: parts.engineWarnings(),
  };
}

/** The versions that a report of a fault needs; Electron and Chromium where there are any. */
export function platformText({ electron, chrome, node }: Partial<NodeJS.ProcessVersions>): string {
  const parts = [
    ['Electron', electron],
    ['Chromium', chrome],
    ['Node', node],
  ] as const;
  return parts.flatMap(([name, version]) => (version === undefined ? [] : [`${name} ${version}`])).join(', ');
}

/** What is missing on this machine and how to add it, a plain sentence each. */
export function missingParts({
  vault,
  sandboxes,
  defaultRuntime,
  minimumIsolation,
  ...parts
}: StatusParts): readonly string[] {
  const telegram = parts.telegram();
  const missing: string[] = [];
  const lockReason = vault.lockReason();
  if (lockReason !== null) {
    missing.push(`The vault is not unlocked: ${lockReason} Unlock it in the window or with: oauth3 unlock`);
  }
  if (telegram === null) {
    missing.push('Telegram is not configured: set it up in the window (Settings, Telegram) to decide from your phone.');
  } else if (telegram.problem !== null) {
    missing.push(`${telegram.problem}.`);
  }
  const choice = sandboxes.pick(defaultRuntime(), minimumIsolation());
  if (!choice.ready) missing.push(`The default runtime ${defaultRuntime()} is not ready: ${choice.reason}`);
  else if (choice.waitsFor !== null) missing.push(choice.waitsFor);
  else if (choice.facts.isolation === 'embedded') {
    const { container } = sandboxes.states();
    const why = container.startsWith('ready')
      ? 'Containers are ready: choose another runtime or a stronger isolation in the settings.'
      : `Containers are ${container}`;
    missing.push(
      `Code runs in the embedded sandbox (QuickJS) unless a request says otherwise; it is the weakest. ${why}`,
    );
  }
  return missing;
}

/** The same for the lines of a start: what there is to know about the engine is one line, however much it is. */
export function startLines(parts: StatusParts): readonly string[] {
  const count = parts.engineWarnings().length;
  const about = count === 1 ? 'There is 1 note' : `There are ${count} notes`;
  const engine = `${about} about the container engine, in the settings and in: oauth3 status`;
  return [...missingParts(parts), ...(count === 0 ? [] : [engine])];
}

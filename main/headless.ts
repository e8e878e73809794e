import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NodeChildLauncher } from './backends/embedded/nodeChild.ts';
import { type Broker, createBroker } from './broker.ts';
import type { Log } from './core/log.ts';
import { createLog } from './logging.ts';
import {
  endOnDefect,
  environmentWithFile,
  explainStartFailure,
  packageFolder,
  readStartFacts,
  readyText,
  type StartFacts,
} from './startup.ts';

/** The whole broker without Electron: no window, no keyring. For tests, demo and bench, and for machines without a desktop. */
async function main(): Promise<void> {
  const facts = readStartFacts(environmentWithFile(process.env));
  const log = createLog(facts.config.logLevel);
  const broker = createBroker(headlessOptions(facts, log));
  endOnSignals(broker);
  endOnDefect(log, () => broker.stop());
  const { url } = await broker.start();
  process.stdout.write(readyText(broker.startLines(), url, process.pid, facts.dataDir));
}

function headlessOptions(
  { config, dataDir, cacheDir, nativeBinding }: StartFacts,
  log: Log,
): Parameters<typeof createBroker>[0] {
  const folder = packageFolder();
  return {
    config,
    dataDir,
    cacheDir,
    nativeBinding,
    ports: {
      version: versionIn(folder),
      log,
      keyProtectors: [],
      sandboxLauncher: new NodeChildLauncher(join(folder, 'sandbox', 'quickjs', 'child.ts')),
    },
  };
}

function versionIn(folder: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return manifest !== null && typeof manifest === 'object' && 'version' in manifest ? `${manifest.version}` : 'unknown';
}

/** The first signal stops in order; a second one, from somebody who does not want to wait, ends at once. */
function endOnSignals(broker: Broker): void {
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) process.exit(1);
    stopping = true;
    await broker.stop();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop());
}

main().catch((error: unknown) => {
  const { line, exitCode } = explainStartFailure(error);
  process.stderr.write(`${line}\n`);
  process.exit(exitCode);
});

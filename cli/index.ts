#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { NotRunningError, RefusedError } from './client.ts';
import { addAgentCommands } from './commands/agents.ts';
import { addAuditCommands } from './commands/audit.ts';
import { addHostCommands } from './commands/hosts.ts';
import { addHouseCommands } from './commands/house.ts';
import { addImageCommands } from './commands/images.ts';
import { addRequestCommands } from './commands/requests.ts';
import { addSecretCommands } from './commands/secrets.ts';
import { addSettingCommands } from './commands/settings.ts';
import { addTrustCommands } from './commands/trust.ts';
import { UsageError } from './input.ts';
import { json, visible } from './output.ts';

const exitCodes = { refused: 1, usage: 2, notRunning: 3 } as const;

function program(): Command {
  const root = new Command('oauth3')
    .description('The owner’s command line for OAuth3. There is no command that approves: decide in the app.')
    .option('--json', 'print JSON')
    .exitOverride()
    .showHelpAfterError('(add --help to see what is possible)');
  addHouseCommands(root);
  addAgentCommands(root);
  addSecretCommands(root);
  addHostCommands(root);
  addTrustCommands(root);
  addRequestCommands(root);
  addAuditCommands(root);
  addImageCommands(root);
  addSettingCommands(root);
  return root;
}

function codeOf(error: unknown): string {
  if (error instanceof RefusedError) return error.code;
  if (error instanceof NotRunningError) return 'not_running';
  return error instanceof UsageError ? 'usage' : 'internal';
}

/** Says what went wrong on stderr and returns the exit code. With `--json` also as JSON on stdout. */
function report(error: unknown, asJson: boolean): number {
  // commander has printed its own words already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
  const known = error instanceof RefusedError || error instanceof NotRunningError || error instanceof UsageError;
  const message = known ? error.message : 'Something broke inside the command line tool';
  const code = codeOf(error);
  const hint = error instanceof RefusedError ? error.hint : undefined;
  if (asJson) {
    process.stdout.write(`${json({ error: { code, message, ...(hint === undefined ? {} : { hint }) } })}\n`);
  }
  process.stderr.write(`${visible(message)}${hint === undefined ? '' : `\n${visible(hint)}`}\n`);
  if (error instanceof NotRunningError) return exitCodes.notRunning;
  return error instanceof UsageError ? exitCodes.usage : exitCodes.refused;
}

process.stdout.on('error', () => process.exit(exitCodes.refused));
try {
  await program().parseAsync(process.argv);
} catch (error) {
  process.exitCode = report(error, process.argv.includes('--json'));
}

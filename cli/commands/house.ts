import type { Command } from 'commander';
import type { StatusView } from '../../contract/owner.ts';
import { confirm, readSecret, UsageError } from '../input.ts';
import { facts, visible } from '../output.ts';
import { leaf, sessionOf } from '../session.ts';

/** Runtime by runtime is what `oauth3 images` lists. */
function statusText({ notes, engine_notes, sandbox, sandboxes: _, ...rest }: StatusView): string {
  const isolations = Object.entries(sandbox).map(([name, state]) => [`sandbox ${name}`, state]);
  return [facts({ ...rest, ...Object.fromEntries(isolations) }), ...[...notes, ...engine_notes].map(visible)].join(
    '\n',
  );
}

/** Typed unseen; a new one twice, since a slip of the finger would lock its owner out. */
async function readPassphrase(isNew: boolean): Promise<string> {
  const passphrase = await readSecret(isNew ? 'New passphrase' : 'Passphrase');
  if (isNew && process.stdin.isTTY && (await readSecret('Again')) !== passphrase) {
    throw new UsageError('The two passphrases differ; nothing was done');
  }
  return passphrase;
}

/** Commands about the app as a whole. */
export function addHouseCommands(program: Command): void {
  leaf(program, 'status', 'what runs and what is missing').action(async (_, self: Command) => {
    const session = sessionOf(self);
    const status = await session.call('status', {});
    session.print(status, statusText(status));
  });

  leaf(program, 'unlock', 'unlock the vault, or set the first passphrase of a new one (stdin or hidden prompt)').action(
    async (_, self: Command) => {
      const session = sessionOf(self);
      const { vault } = await session.call('status', {});
      await session.call('unlock', { passphrase: await readPassphrase(vault === 'uninitialized') });
      session.print({ vault: 'unlocked' }, 'The vault is unlocked');
    },
  );

  leaf(program, 'lock', 'lock the vault').action(async (_, self: Command) => {
    const session = sessionOf(self);
    await session.call('lock', {});
    session.print({ vault: 'locked' }, 'The vault is locked');
  });

  leaf(program, 'pause', 'refuse everything new until resumed').action(async (_, self: Command) => {
    const session = sessionOf(self);
    await session.call('pause', {});
    session.print({ paused: true }, 'Paused: nothing new is taken');
  });

  leaf(program, 'resume', 'go on after a pause').action(async (_, self: Command) => {
    const session = sessionOf(self);
    await session.call('resume', {});
    session.print({ paused: false }, 'Resumed');
  });

  leaf(program, 'panic', 'stop runs, revoke trust, pause agents, lock the vault')
    .option('--yes', 'do not ask')
    .action(async (options: Readonly<{ yes?: true }>, self: Command) => {
      const session = sessionOf(self);
      const question = 'Stop all runs, revoke all trust, pause all agents and lock the vault?';
      if (options.yes !== true && !(await confirm(question))) {
        process.stderr.write('Nothing was done.\n');
        return session.fail();
      }
      const outcome = await session.call('panic', {});
      session.print(outcome, facts(outcome));
    });

  const wake = program.command('wake').description('telling the agent that something is ready');
  leaf(wake, 'test', 'send a test wake').action(async (_, self: Command) => {
    const session = sessionOf(self);
    const outcome = await session.call('wake.test', {});
    session.print(outcome, visible(outcome.detail));
    if (!outcome.ok) session.fail();
  });
}

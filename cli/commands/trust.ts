import type { Command } from 'commander';
import { UsageError } from '../input.ts';
import { table } from '../output.ts';
import { leaf, sessionOf } from '../session.ts';

export function addTrustCommands(program: Command): void {
  const trust = program.command('trust').description('standing decisions');

  leaf(trust, 'list', 'list trust entries').action(async (_, self: Command) => {
    const session = sessionOf(self);
    const list = await session.call('trust.list', {});
    const columns = [
      'id',
      'status',
      'agent',
      'skill_id',
      'level',
      'args_policy',
      'expires_at',
      'last_used_at',
      'use_count',
    ];
    session.print(list, table(list.items, columns));
  });

  leaf(trust, 'revoke [id]', 'take one trust entry back, or all')
    .option('--all', 'revoke all')
    .action(async (id: string | undefined, options: Readonly<{ all?: true }>, self: Command) => {
      const session = sessionOf(self);
      if ((id === undefined) === (options.all === undefined)) throw new UsageError('Give either an id or --all');
      if (id === undefined) {
        const { revoked } = await session.call('trust.revoke_all', {});
        return session.print({ revoked }, `${revoked} trust entries revoked`);
      }
      await session.call('trust.revoke', { id });
      session.print({ id, revoked: 1 }, `Trust entry ${id} is revoked`);
    });
}

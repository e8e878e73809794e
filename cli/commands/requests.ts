import type { Command } from 'commander';
import type { RequestDetail } from '../../contract/owner.ts';
import { requestStateSchema } from '../../contract/states.ts';
import { UsageError } from '../input.ts';
import { facts, table, visible } from '../output.ts';
import { leaf, sessionOf } from '../session.ts';

function detailText({ code, ...rest }: RequestDetail): string {
  return code === null ? facts(rest) : `${facts(rest)}\n\n${visible(code)}`;
}

export function addRequestCommands(program: Command): void {
  const requests = program.command('requests').description('what agents asked for');

  leaf(requests, 'list', 'list requests, newest first')
    .option('--status <state>', `one of ${requestStateSchema.options.join(', ')}`)
    .option('--limit <n>', 'how many (1-1000)', '100')
    .action(async (options: Readonly<{ status?: string; limit: string }>, self: Command) => {
      const session = sessionOf(self);
      const status = requestStateSchema.optional().safeParse(options.status);
      if (!status.success) throw new UsageError(`There is no state ${options.status}`);
      const list = await session.call('requests.list', {
        limit: readLimit(options.limit),
        ...(status.data === undefined ? {} : { status: status.data }),
      });
      const columns = ['request_id', 'status', 'agent', 'skill_id', 'created_at', 'decision', 'decided_by', 'trusted'];
      session.print(list, table(list.items, columns));
    });

  leaf(requests, 'show <id>', 'show all that is kept of one request').action(async (id: string, _, self: Command) => {
    const session = sessionOf(self);
    const detail = await session.call('requests.show', { id });
    session.print(detail, detailText(detail));
  });
}

/** A whole number from 1 to 1000. */
export function readLimit(text: string): number {
  const limit = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > 1000) throw new UsageError('--limit takes a number from 1 to 1000');
  return limit;
}

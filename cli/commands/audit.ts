import type { Command } from 'commander';
import { UsageError } from '../input.ts';
import { facts, table } from '../output.ts';
import { leaf, sessionOf } from '../session.ts';
import { readLimit } from './requests.ts';

export function addAuditCommands(program: Command): void {
  const audit = program.command('audit').description('what happened, in a chain that shows tampering');

  leaf(audit, 'list', 'list events, newest first')
    .option('--limit <n>', 'how many (1-1000)', '100')
    .option('--before <seq>', 'only events before this one')
    .option('--kind <kind>', 'only events of this kind')
    .action(async (options: Readonly<{ limit: string; before?: string; kind?: string }>, self: Command) => {
      const session = sessionOf(self);
      const before = options.before === undefined ? undefined : Number(options.before);
      if (before !== undefined && (!Number.isSafeInteger(before) || before < 1)) {
        throw new UsageError('--before takes the number of an event');
      }
      const list = await session.call('audit.list', {
        limit: readLimit(options.limit),
        ...(before === undefined ? {} : { before_seq: before }),
        ...(options.kind === undefined ? {} : { kind: options.kind }),
      });
      session.print(list, table(list.items, ['seq', 'at', 'actor', 'kind', 'request_id', 'payload']));
    });

  leaf(audit, 'verify', 'check the chain').action(async (_, self: Command) => {
    const session = sessionOf(self);
    const verdict = await session.call('audit.verify', {});
    session.print(verdict, verdict.ok ? `The chain of ${verdict.events} events is whole` : facts(verdict));
    if (!verdict.ok) session.fail();
  });

  leaf(audit, 'export', 'write all events to stdout')
    .option('--format <format>', 'jsonl or csv', 'jsonl')
    .action(async (options: Readonly<{ format: string }>, self: Command) => {
      const { format } = options;
      if (format !== 'jsonl' && format !== 'csv') throw new UsageError('--format takes jsonl or csv');
      await sessionOf(self).call('audit.export', { format }, (part) => void process.stdout.write(part));
    });
}

import type { Command } from 'commander';
import type { AuditFilter } from '../../contract/audit.ts';
import { UsageError } from '../input.ts';
import { facts, table } from '../output.ts';
import { leaf, sessionOf } from '../session.ts';
import { readTime } from '../when.ts';
import { readLimit } from './requests.ts';

type FilterOptions = Readonly<Partial<Record<keyof AuditFilter, string>>>;

export function addAuditCommands(program: Command): void {
  const audit = program.command('audit').description('what happened, in a chain that shows tampering');

  filtered(leaf(audit, 'list', 'list events, newest first'))
    .option('--limit <n>', 'how many (1-1000)', '100')
    .option('--before <seq>', 'only events before this one')
    .action(async (options: FilterOptions & Readonly<{ limit: string; before?: string }>, self: Command) => {
      const session = sessionOf(self);
      const before = options.before === undefined ? undefined : Number(options.before);
      if (before !== undefined && (!Number.isSafeInteger(before) || before < 1)) {
        throw new UsageError('--before takes the number of an event');
      }
      const list = await session.call('audit.list', {
        ...readFilter(options),
        limit: readLimit(options.limit),
        ...(before === undefined ? {} : { before_seq: before }),
      });
      session.print(
        list,
        table(list.items, ['seq', 'at', 'actor', 'kind', 'agent', 'skill_id', 'request_id', 'payload']),
      );
    });

  leaf(audit, 'verify', 'check the chain').action(async (_, self: Command) => {
    const session = sessionOf(self);
    const verdict = await session.call('audit.verify', {});
    session.print(verdict, verdict.ok ? `The chain of ${verdict.events} events is whole` : facts(verdict));
    if (!verdict.ok) session.fail();
  });

  filtered(leaf(audit, 'export', 'write events to stdout, oldest first'))
    .option('--format <format>', 'jsonl or csv', 'jsonl')
    .action(async (options: FilterOptions & Readonly<{ format: string }>, self: Command) => {
      const { format } = options;
      if (format !== 'jsonl' && format !== 'csv') throw new UsageError('--format takes jsonl or csv');
      const asked = { ...readFilter(options), format } as const;
      await sessionOf(self).call('audit.export', asked, (part) => void process.stdout.write(part));
    });
}

function filtered(command: Command): Command {
  return command
    .option('--agent <name>', 'only of this agent')
    .option('--skill <id>', 'only of this skill')
    .option('--secret <name>', 'only about this secret, or requests that use it')
    .option('--host <host>', 'only about this host, or requests that may reach it')
    .option('--kind <kind>', 'only events of this kind; request. means all that begin so')
    .option('--request <id>', 'only about this request')
    .option('--since <time>', 'from then on: 2026-01-31, a time with its zone, or 7d')
    .option('--until <time>', 'up to then')
    .option('--search <words>', 'only with all of these words');
}

function readFilter({ since, until, ...rest }: FilterOptions): AuditFilter {
  const { agent, skill, secret, host, kind, request, search } = rest;
  for (const [name, value] of Object.entries({ agent, skill, secret, host, kind, request, search })) {
    if (value === '') throw new UsageError(`--${name} takes a text`);
  }
  return {
    ...(agent === undefined ? {} : { agent }),
    ...(skill === undefined ? {} : { skill }),
    ...(secret === undefined ? {} : { secret }),
    ...(host === undefined ? {} : { host }),
    ...(kind === undefined ? {} : { kind }),
    ...(request === undefined ? {} : { request }),
    ...(search === undefined ? {} : { search }),
    ...(since === undefined ? {} : { since: readTime('--since', since, false) }),
    ...(until === undefined ? {} : { until: readTime('--until', until, true) }),
  };
}

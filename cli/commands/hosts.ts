import type { Command } from 'commander';
import { table } from '../output.ts';
import { leaf, sessionOf } from '../session.ts';

export function addHostCommands(program: Command): void {
  const host = program.command('host').description('local services: names that may lead into your own network');
  const columns = ['name', 'address', 'port', 'source'];

  leaf(host, 'add <name=address[:port]>', 'declare a local service').action(async (entry: string, _, self: Command) => {
    const session = sessionOf(self);
    const added = await session.call('host.add', { entry });
    session.print(added, table([added], columns));
  });

  leaf(host, 'list', 'list local services').action(async (_, self: Command) => {
    const session = sessionOf(self);
    const list = await session.call('host.list', {});
    session.print(list, table(list.items, columns));
  });

  leaf(host, 'rm <name>', 'take a local service back').action(async (name: string, _, self: Command) => {
    const session = sessionOf(self);
    await session.call('host.remove', { name });
    session.print({ name, removed: true }, `Local service ${name} is removed`);
  });
}

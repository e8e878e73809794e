import type { Command } from 'commander';
import { z } from 'zod';
import { facts, table } from '../output.ts';
import { leaf, sessionOf } from '../session.ts';

/** What was typed, as JSON if it is JSON (`5`, `true`, `null`), else as text (`always`). */
function readValue(text: string): z.infer<ReturnType<typeof z.json>> {
  try {
    return z.json().parse(JSON.parse(text));
  } catch {
    return text;
  }
}

export function addSettingCommands(program: Command): void {
  const settings = program.command('settings').description('limits and habits');

  leaf(settings, 'list', 'list settings').action(async (_, self: Command) => {
    const session = sessionOf(self);
    const list = await session.call('settings.list', {});
    session.print(list, table(list.items, ['key', 'value']));
  });

  leaf(settings, 'get <key>', 'show one setting').action(async (key: string, _, self: Command) => {
    const session = sessionOf(self);
    const setting = await session.call('settings.get', { key });
    session.print(setting, JSON.stringify(setting.value));
  });

  leaf(settings, 'set <key> <value>', 'change one setting').action(
    async (key: string, value: string, _, self: Command) => {
      const session = sessionOf(self);
      const setting = await session.call('settings.set', { key, value: readValue(value) });
      session.print(setting, facts({ [setting.key]: setting.value }));
    },
  );
}

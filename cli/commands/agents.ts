import type { Command } from 'commander';
import { table, visible } from '../output.ts';
import { leaf, sessionOf } from '../session.ts';

const tokenText = (made: Readonly<{ agent_id: string; name: string; token: string }>): string =>
  `Agent ${visible(made.name)} (${made.agent_id})\nToken, shown only now:\n${made.token}`;

export function addAgentCommands(program: Command): void {
  const agent = program.command('agent').description('agents that may ask');

  leaf(agent, 'add <name>', 'add an agent and show its token once').action(async (name: string, _, self: Command) => {
    const session = sessionOf(self);
    const made = await session.call('agent.add', { name });
    session.print(made, tokenText(made));
  });

  leaf(agent, 'list', 'list agents').action(async (_, self: Command) => {
    const session = sessionOf(self);
    const list = await session.call('agent.list', {});
    session.print(list, table(list.items, ['name', 'status', 'agent_id', 'created_at', 'last_seen_at']));
  });

  const pausing = [
    ['pause', true, 'refuse everything from this agent'],
    ['resume', false, 'let a paused agent ask again'],
  ] as const;
  for (const [verb, paused, description] of pausing) {
    leaf(agent, `${verb} <name>`, description).action(async (name: string, _, self: Command) => {
      const session = sessionOf(self);
      await session.call('agent.pause', { name, paused });
      session.print({ name, paused }, `Agent ${visible(name)} is ${paused ? 'paused' : 'active'}`);
    });
  }

  leaf(agent, 'rotate <name>', 'give the agent a new token; the old one ends').action(
    async (name: string, _, self: Command) => {
      const session = sessionOf(self);
      const made = await session.call('agent.rotate', { name });
      session.print(made, tokenText(made));
    },
  );

  leaf(agent, 'revoke <name>', 'end the agent, its trust and its requests').action(
    async (name: string, _, self: Command) => {
      const session = sessionOf(self);
      await session.call('agent.revoke', { name });
      session.print({ name, revoked: true }, `Agent ${visible(name)} is revoked`);
    },
  );
}

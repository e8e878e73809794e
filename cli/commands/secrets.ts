import type { Command } from 'commander';
import type { SecretView } from '../../contract/owner.ts';
import { placeLines } from '../../contract/secretPlaces.ts';
import { readSecret } from '../input.ts';
import { facts, table } from '../output.ts';
import { collect, leaf, sessionOf } from '../session.ts';

type PlaceOptions = Readonly<{
  host?: readonly string[];
  header?: readonly string[];
  query?: readonly string[];
  path?: true;
  jsonField?: readonly string[];
  formField?: readonly string[];
}>;
type AddOptions = PlaceOptions & Readonly<{ raw?: true; replace?: true }>;

const withPlaces = (command: Command): Command =>
  command
    .option('--host <host>', 'host it may go to, host or host:port (repeat for more)', collect)
    .option('--header <name>', 'header it may stand in besides Authorization (repeat for more)', collect)
    .option('--query <parameter>', 'query parameter it may stand in (repeat for more)', collect)
    .option('--path', 'it may stand in the path')
    // Not `--json`: every command has that for its output.
    .option('--json-field <pointer>', 'field of a JSON body it may stand in, as /auth/key (repeat for more)', collect)
    .option('--form-field <name>', 'field of an URL-encoded form it may stand in (repeat for more)', collect);

const places = (options: PlaceOptions) => ({
  ...(options.header === undefined ? {} : { headers: [...options.header] }),
  ...(options.query === undefined ? {} : { query: [...options.query] }),
  ...(options.path === undefined ? {} : { path: options.path }),
  ...(options.jsonField === undefined ? {} : { json: [...options.jsonField] }),
  ...(options.formField === undefined ? {} : { form: [...options.formField] }),
});

const text = (secret: SecretView): string =>
  `${facts(secret)}${secret.hosts.length === 0 ? '\nNot bound to a host yet: each card will ask where it may go.' : ''}`;

export function addSecretCommands(program: Command): void {
  const secret = program.command('secret').description('secrets; values go in and never come out');

  withPlaces(leaf(secret, 'add <name>', 'add a secret; the value comes from stdin or a hidden prompt'))
    .option('--raw', 'give the code the real value (for signing and databases): the gateway cannot guard it')
    .option('--replace', 'replace the value of an existing secret')
    .action(async (name: string, options: AddOptions, self: Command) => {
      const session = sessionOf(self);
      const added = await session.call('secret.add', {
        name,
        value: await readSecret('Value'),
        ...(options.host === undefined ? {} : { hosts: [...options.host] }),
        ...places(options),
        ...(options.raw === undefined ? {} : { raw: true }),
        ...(options.replace === undefined ? {} : { replace: true }),
      });
      session.print(added, text(added));
    });

  withPlaces(leaf(secret, 'bind <name>', 'replace the hosts of a secret; places change if given')).action(
    async (name: string, options: PlaceOptions, self: Command) => {
      if (options.host === undefined) self.error('error: give at least one --host');
      const session = sessionOf(self);
      const bound = await session.call('secret.bind', { name, hosts: [...(options.host ?? [])], ...places(options) });
      session.print(bound, text(bound));
    },
  );

  leaf(secret, 'rotate <name>', 'give a secret a new value; trust that uses it stays')
    .option('--drop-trust', 'revoke the trust entries that use it')
    .action(async (name: string, options: Readonly<{ dropTrust?: true }>, self: Command) => {
      const session = sessionOf(self);
      const rotated = await session.call('secret.rotate', {
        name,
        value: await readSecret('Value'),
        keep_trust: options.dropTrust !== true,
      });
      session.print(rotated, text(rotated));
    });

  leaf(secret, 'list', 'list secrets, never their values').action(async (_, self: Command) => {
    const session = sessionOf(self);
    const list = await session.call('secret.list', {});
    const rows = list.items.map((item) => ({
      ...item,
      places: placeLines(item),
      used_by: [...new Set(item.used_by.map(({ skill_id }) => skill_id))],
    }));
    session.print(list, table(rows, ['name', 'delivery', 'hosts', 'places', 'version', 'last_used_at', 'used_by']));
  });

  leaf(secret, 'rm <name>', 'delete a secret and the trust that uses it').action(
    async (name: string, _, self: Command) => {
      const session = sessionOf(self);
      await session.call('secret.remove', { name });
      session.print({ name, removed: true }, `Secret ${name} is deleted`);
    },
  );
}

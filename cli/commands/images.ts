import { Argument, type Command, Option } from 'commander';
import { isolationSchema, isolations, type Runtime, runtimeSchema, runtimes } from '../../contract/runtime.ts';
import { UsageError } from '../input.ts';
import { table } from '../output.ts';
import { leaf, sessionOf } from '../session.ts';

function readRuntime(text: string): Runtime {
  const parsed = runtimeSchema.safeParse(text);
  if (!parsed.success) throw new UsageError(`There is no runtime ${text}; there are ${runtimes.join(', ')}`);
  return parsed.data;
}

/** The images that containers are made from. */
export function addImageCommands(program: Command): void {
  leaf(program, 'images', 'make the images of the container sandbox that are missing, and list them')
    .addArgument(new Argument('[runtime...]', `which (${runtimes.join(', ')}); all if left out`))
    .addOption(
      new Option('--isolation <level>', 'for which isolation').choices(isolations.slice(1)).default('container'),
    )
    .action(async (names: readonly string[], options: Readonly<{ isolation: string }>, self: Command) => {
      const session = sessionOf(self);
      const isolation = isolationSchema.parse(options.isolation);
      const list = await session.call('images', { runtimes: names.map(readRuntime), isolation }, (step) => {
        process.stderr.write(step);
      });
      // What an image would be made from says nothing to a person.
      const rows = list.items.map((item) => ({ ...item, image: item.state === 'ready' ? item.image : '-' }));
      session.print(list, table(rows, ['runtime', 'isolation', 'state', 'image', 'detail']));
      if (list.items.some(({ state }) => state !== 'ready')) session.fail();
    });
}

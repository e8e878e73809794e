/** `npm run images [-- deno node ...]`: makes the images of the container sandbox on the engine of DOCKER_HOST. */
import path from 'node:path';
import { Argument, Command, Option } from 'commander';
import { z } from 'zod';
import { engineEndpoint } from '../main/backends/docker/endpoint.ts';
import { EngineApi } from '../main/backends/docker/engineApi.ts';
import { readImageFiles } from '../main/backends/docker/images/imageFiles.ts';
import { makeImage } from '../main/backends/docker/images/makeImage.ts';
import { PackagesSource } from '../main/backends/docker/images/packagesSource.ts';
import { ImageError, type ImageProgress, type ImageSource } from '../main/backends/docker/images/ports.ts';
import { imageWish } from '../main/backends/docker/images/recipe.ts';
import { runtimeTable } from '../main/backends/docker/runtimeTable.ts';
import { cacheDirectory, runScript, SetupError, say } from './setup/checkout.ts';
import { ensureRunnerBuilt } from './setup/runnerBuild.ts';

const variants = ['sealed', 'readable'] as const;
const sourceNames = ['registry', 'packages'] as const;
const names = runtimeTable.map(({ runtime }) => runtime);
const sizeSchema = z.looseObject({ Size: z.number() });
const optionsSchema = z.object({
  variant: z.enum(variants),
  all: z.boolean().default(false),
  source: z.enum(sourceNames).optional(),
});

const command = new Command('images')
  .addArgument(new Argument('[runtimes...]', 'which ones; all when none is named').choices(names))
  .addOption(new Option('--variant <name>', '`readable` is for gVisor').choices(variants).default('sealed'))
  .option('--all', 'both variants')
  .addOption(new Option('--source <name>', 'make them in this way only').choices(sourceNames))
  .parse();

const connect = (): EngineApi => {
  const endpoint = engineEndpoint(process.env.DOCKER_HOST || null, process.platform);
  if (endpoint.kind === 'unsupported') throw new SetupError(endpoint.reason);
  return new EngineApi(endpoint);
};

/** A line for each new step; the percentages between are for a window. */
const stepLines = (name: string): ((progress: ImageProgress) => void) => {
  let last = '';
  return ({ step }) => {
    if (step !== last) say(`${name}: ${step}`);
    last = step;
  };
};

await runScript(async () => {
  const options = optionsSchema.parse(command.opts());
  const engine = connect();
  const files = await readImageFiles(await ensureRunnerBuilt(), runtimeTable);
  const all: readonly ImageSource[] = [new PackagesSource(engine, path.join(cacheDirectory, 'images'))];
  const sources = all.filter(({ name }) => options.source === undefined || options.source === name);
  const rows = runtimeTable.filter(({ runtime }) => command.args.length === 0 || command.args.includes(runtime));
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(new ImageError('Stopped')));
  let failures = 0;
  for (const row of rows) {
    for (const variant of options.all ? variants : [options.variant]) {
      const name = `${row.runtime} (${variant})`;
      try {
        const { id, source } = await makeImage(sources, imageWish(row, variant, files), stepLines(name), stop.signal);
        const { Size } = await engine.json({ method: 'GET', path: `/images/${id}/json` }, sizeSchema);
        say(`${name}: ${id}, ${Math.round(Size / 1e6)} MB, by ${source}`);
      } catch (error) {
        if (!(error instanceof ImageError)) throw error;
        stop.signal.throwIfAborted();
        failures += 1;
        say(`${name}: not made. ${error.message}`);
      }
    }
  }
  engine.close();
  return failures === 0 ? 0 : 1;
});

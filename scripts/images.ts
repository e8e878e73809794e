/** `npm run images [-- deno node ...]`: makes the images of the container sandbox on the engine of DOCKER_HOST. */
import path from 'node:path';
import { Argument, Command, Option } from 'commander';
import { z } from 'zod';
import { engineEndpoint } from '../main/backends/docker/endpoint.ts';
import { EngineApi, EngineError } from '../main/backends/docker/engineApi.ts';
import { readImageFiles } from '../main/backends/docker/images/imageFiles.ts';
import { imageMark, recipeLabel } from '../main/backends/docker/images/imageLabels.ts';
import { makeImage } from '../main/backends/docker/images/makeImage.ts';
import { PackagesSource } from '../main/backends/docker/images/packagesSource.ts';
import { ImageError, type ImageProgress, type ImageSource } from '../main/backends/docker/images/ports.ts';
import { imageWish } from '../main/backends/docker/images/recipe.ts';
import { RegistrySource } from '../main/backends/docker/images/registrySource.ts';
import { runtimeTable } from '../main/backends/docker/runtimeTable.ts';
import { cacheDirectory, root, runScript, SetupError, say } from './setup/checkout.ts';
import { ensureRunnerBuilt } from './setup/runnerBuild.ts';

const variants = ['sealed', 'readable'] as const;
const sourceNames = ['registry', 'packages'] as const;
const names = runtimeTable.map(({ runtime }) => runtime);
const listSchema = z.array(z.looseObject({ Id: z.string(), Labels: z.record(z.string(), z.string()).nullish() }));
const sizeSchema = z.looseObject({ Size: z.number() });
const optionsSchema = z.object({
  variant: z.enum(variants),
  all: z.boolean().default(false),
  source: z.enum(sourceNames).optional(),
  prune: z.boolean().default(false),
});

const command = new Command('images')
  .addArgument(new Argument('[runtimes...]', 'which ones; all when none is named').choices(names))
  .addOption(new Option('--variant <name>', '`readable` is for gVisor').choices(variants).default('sealed'))
  .option('--all', 'both variants')
  .addOption(new Option('--source <name>', 'make them in this way only').choices(sourceNames))
  .option('--prune', 'afterwards remove our images of other versions that no container uses')
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

/** Removes what has our label and none of these recipes. The engine itself keeps what a container is made from. */
const prune = async (engine: EngineApi, recipes: ReadonlySet<string>): Promise<void> => {
  const filters = JSON.stringify({ label: [`${imageMark.name}=${imageMark.value}`] });
  const images = await engine.json({ method: 'GET', path: '/images/json', query: { filters } }, listSchema);
  for (const { Id, Labels } of images.filter((image) => !recipes.has(image.Labels?.[recipeLabel] ?? ''))) {
    const name = `${Labels?.['oauth3.runtime']} (${Labels?.['oauth3.variant']}) of another version`;
    const removed = engine.send({ method: 'DELETE', path: `/images/${Id}` });
    say(
      `${name}: ${await removed.then(
        () => 'removed',
        (error: Error) => `kept. ${error.message}`,
      )}`,
    );
  }
};

await runScript(async () => {
  const options = optionsSchema.parse(command.opts());
  const engine = connect();
  const all: readonly ImageSource[] = [
    new RegistrySource(engine, path.join(root, 'sandbox/images')),
    new PackagesSource(engine, path.join(cacheDirectory, 'images')),
  ];
  const sources = all.filter(({ name }) => options.source === undefined || options.source === name);
  const rows = runtimeTable.filter(({ runtime }) => command.args.length === 0 || command.args.includes(runtime));
  const files = await readImageFiles(await ensureRunnerBuilt(), rows);
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(new ImageError('Stopped')));
  let failures = 0;
  for (const row of rows) {
    for (const variant of options.all ? variants : [options.variant]) {
      const name = `${row.runtime} (${variant})`;
      try {
        const wish = imageWish(row, variant, files);
        const { id, source } = await makeImage(engine, sources, wish, stepLines(name), stop.signal);
        const { Size } = await engine.json({ method: 'GET', path: `/images/${id}/json` }, sizeSchema);
        say(`${name}: ${id}, ${Math.round(Size / 1e6)} MB, by ${source}`);
      } catch (error) {
        if (!(error instanceof ImageError || error instanceof EngineError)) throw error;
        if (stop.signal.aborted) throw new SetupError('Stopped; what was half made is gone.');
        failures += 1;
        say(`${name}: not made. ${error.message}`);
      }
    }
  }
  if (options.prune) {
    const everything = await readImageFiles(await ensureRunnerBuilt(), runtimeTable);
    const wishes = runtimeTable.flatMap((row) => variants.map((variant) => imageWish(row, variant, everything)));
    await prune(engine, new Set(wishes.map(({ recipe }) => recipe)));
  }
  engine.close();
  return failures === 0 ? 0 : 1;
});

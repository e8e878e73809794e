import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type EngineApi, type EngineCall, EngineError } from '../engineApi.ts';
import { runtimeTable } from '../runtimeTable.ts';
import { ImageError, type ImageWish } from './ports.ts';
import { RegistrySource } from './registrySource.ts';

const folder = fileURLToPath(new URL('../../../../sandbox/images', import.meta.url));
const digest = `sha256:${'ab'.repeat(32)}`;
const builtId = `sha256:${'cd'.repeat(32)}`;

function wishOf(publicImages: Readonly<Record<string, string>>): ImageWish {
  const [row] = runtimeTable;
  if (row === undefined) throw new Error('no row');
  const image = { ...row.image, publicImages };
  const runner = { bytes: new Uint8Array(1), sha256: '' };
  return { row: { ...row, image }, variant: 'sealed', runner, own: {}, recipe: 'f'.repeat(64) };
}

const wish = wishOf({ NODE_BASE: `docker.io/library/node:24@${digest}` });

/** What an engine says; a test changes one thing. */
type Says = {
  repoDigests: readonly (readonly string[] | null)[];
  pull: readonly unknown[];
  build: readonly unknown[];
};
const usual: Says = {
  repoDigests: [null, [`node@${digest}`]],
  pull: [],
  build: [{ stream: 'Step 1' }, { aux: { ID: builtId } }],
};

class FakeEngine implements Pick<EngineApi, 'json' | 'lines'> {
  readonly calls: EngineCall[] = [];
  readonly #says: Says;
  #looks = 0;

  constructor(says: Partial<Says> = {}) {
    this.#says = { ...usual, ...says };
  }

  json: EngineApi['json'] = async (call, schema) => {
    this.calls.push(call);
    return schema.parse(this.#answer());
  };

  async *lines(call: EngineCall): AsyncGenerator<unknown> {
    this.calls.push(call);
    yield* call.path === '/build' ? this.#says.build : this.#says.pull;
  }

  #answer(): unknown {
    const digests = this.#says.repoDigests[this.#looks];
    this.#looks += 1;
    if (digests === null || digests === undefined) throw new EngineError(404, 'no such image');
    return { RepoDigests: digests };
  }
}

async function make(engine: FakeEngine, wanted = wish): Promise<string> {
  const source = new RegistrySource(engine, folder, { firstMs: 1000, nextMs: 1000 });
  return source.make(wanted, () => {}, new AbortController().signal);
}

const calledFor = (engine: FakeEngine, path: string) => engine.calls.find((call) => call.path === path);

describe('Images made on public ones', () => {
  it('are asked for by digest, and built without a network', async () => {
    const engine = new FakeEngine();
    expect(await make(engine)).toBe(builtId);
    expect(calledFor(engine, '/images/create')?.query).toEqual({ fromImage: 'docker.io/library/node', tag: digest });
    const query = calledFor(engine, '/build')?.query ?? {};
    expect(query).toMatchObject({ networkmode: 'none', rm: '1', forcerm: '1' });
    expect(query).not.toHaveProperty('pull');
    expect(JSON.parse(query.buildargs ?? '')).toEqual({
      NODE_BASE: `docker.io/library/node@${digest}`,
      NODE_MODE: '0711',
    });
  });

  it('fetch nothing that the engine has', async () => {
    const engine = new FakeEngine({ repoDigests: [[`node@${digest}`]] });
    await make(engine);
    expect(calledFor(engine, '/images/create')).toBeUndefined();
  });

  it('are not built on something else that the engine has after it was asked', async () => {
    const engine = new FakeEngine({ repoDigests: [null, [`node@sha256:${'ef'.repeat(32)}`]] });
    await expect(make(engine)).rejects.toThrow('something else');
    expect(calledFor(engine, '/build')).toBeUndefined();
  });

  it('do not tell where this network looks names up', async () => {
    const error = 'Get "https://registry.test/v2/": dial tcp: lookup registry.test on 10.1.2.3:53: no such host';
    await expect(make(new FakeEngine({ pull: [{ error }] }))).rejects.toThrow('lookup registry.test: no such host');
  });

  it('fail in words for the owner', async () => {
    const pull = new FakeEngine({ pull: [{ error: 'no such host' }] });
    await expect(make(pull)).rejects.toThrow(/^The public image node:24 .* could not be fetched: no such host$/);
    const build = new FakeEngine({ build: [{ error: 'returned a non-zero code: 1' }] });
    await expect(make(build)).rejects.toBeInstanceOf(ImageError);
    await expect(make(new FakeEngine({ build: [] }))).rejects.toThrow('it did not say what it built');
    await expect(make(new FakeEngine(), wishOf({}))).rejects.toThrow('names no public image');
  });
});

import { text } from 'node:stream/consumers';
import { Container } from '../main/backends/docker/container.ts';
import type { EngineApi } from '../main/backends/docker/engineApi.ts';
import { benchLabel, hardenedSpec } from './dockerRun.ts';

/**
 * Creates a container as the app does, with this command instead of the runner, gives it `input` and waits for its output
 * and end. Gives what it printed and how long that took, ms; its removal is not in it.
 */
export async function coldRun(
  api: EngineApi,
  wish: Readonly<{
    imageId: string;
    engineRuntime: string;
    command: readonly string[];
    env: Readonly<Record<string, string>>;
  }>,
  input: string,
): Promise<Readonly<{ printed: string; tookMs: number }>> {
  const started = performance.now();
  const container = await Container.create(api, {
    ...hardenedSpec(wish.imageId, wish.engineRuntime),
    Entrypoint: wish.command,
    Env: Object.entries(wish.env).map(([name, value]) => `${name}=${value}`),
    Labels: { [benchLabel]: '1' },
  });
  try {
    const [stream, end] = await Promise.all([container.attach(), container.watchEnd()]);
    await container.start();
    stream.end(input);
    const over = new Promise<void>((resolve) => end.once('close', () => resolve()));
    const printed = await text(stream);
    await over;
    return { printed, tookMs: performance.now() - started };
  } finally {
    await container.remove();
  }
}

import { afterAll, beforeAll } from 'vitest';
import type { Runtime } from '../../contract/runtime.ts';
import type { DockerBackend } from '../../main/backends/docker/dockerBackend.ts';
import type { ContainerIsolation } from '../../main/backends/docker/ports.ts';
import { type ProgramOptions, type Ran, runProgram } from '../../main/backends/testing.ts';
import { type DockerHouse, openDockerHouse } from './dockerHouse.ts';
import { openTestEngine, type TestEngine } from './testEngine.ts';

/** For the tests of one file: a started backend on the engine of this test run, ended after them. */
export type DockerRoom = Readonly<{
  house(): DockerHouse;
  backend(): DockerBackend;
  /** What an outsider sees of the engine. */
  engine(): TestEngine;
  run(runtime: Runtime, code: string, options?: ProgramOptions): Promise<Ran>;
  python(code: string, options?: ProgramOptions): Promise<Ran>;
  /** Runs Python that prints one JSON value, and gives that. */
  probe(code: string, options?: ProgramOptions): Promise<unknown>;
}>;

export function dockerRoom(
  runtimes: readonly Runtime[],
  isolation: ContainerIsolation = 'container',
  poolSize = 1,
): DockerRoom {
  let opened: { house: DockerHouse; backend: DockerBackend; engine: TestEngine } | undefined;
  const parts = () => {
    if (opened === undefined) throw new Error('the room is not open');
    return opened;
  };
  beforeAll(async () => {
    const house = await openDockerHouse(runtimes, [isolation]);
    const backend = house.backend({ isolation, poolSize });
    opened = { house, backend, engine: openTestEngine() };
    await backend.start();
  }, 600_000);
  afterAll(async () => {
    await opened?.backend.stop();
    await opened?.house.close();
    opened?.engine.close();
  });
  const run: DockerRoom['run'] = (runtime, code, options) => runProgram(parts().backend, runtime, code, options);
  const python: DockerRoom['python'] = (code, options) => run('python', code, options);
  return {
    house: () => parts().house,
    backend: () => parts().backend,
    engine: () => parts().engine,
    run,
    python,
    async probe(code, options) {
      const { exit, stdout, stderr } = await python(code, options);
      if (exit.kind !== 'exited' || exit.exitCode !== 0) throw new Error(`${JSON.stringify(exit)} ${stderr}`);
      return JSON.parse(stdout);
    },
  };
}

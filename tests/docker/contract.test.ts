import { afterAll, beforeAll } from 'vitest';
import type { Runtime } from '../../contract/runtime.ts';
import { backendContract } from '../../main/runs/backend.contract.ts';
import { containerPrograms } from '../support/containerPrograms.ts';
import { type DockerHouse, openDockerHouse } from '../support/dockerHouse.ts';
import { isolationsUnderTest } from '../support/testEngine.ts';

/** Two houses, because the contract asks each backend for a runtime that it does not have. */
const runtimesOfHouses: readonly (readonly Runtime[])[] = [['node', 'deno', 'python'], ['quickjs']];
const isolations = isolationsUnderTest();

for (const runtimes of runtimesOfHouses) {
  let house: DockerHouse | undefined;
  beforeAll(async () => {
    house = await openDockerHouse(runtimes, isolations);
  }, 600_000);
  afterAll(() => house?.close());

  for (const isolation of isolations) {
    for (const runtime of runtimes) {
      backendContract(
        `${runtime} in isolation ${isolation}`,
        () => opened(house).backend({ isolation }),
        runtime,
        containerPrograms[runtime],
      );
    }
  }
}

function opened(house: DockerHouse | undefined): DockerHouse {
  if (house === undefined) throw new Error('the house was not opened');
  return house;
}

import { afterAll, beforeAll } from 'vitest';
import { backendContract } from '../../main/runs/backend.contract.ts';
import { type ContainerRuntime, containerPrograms } from '../support/containerPrograms.ts';
import { type DockerHouse, openDockerHouse } from '../support/dockerHouse.ts';
import { isolationsUnderTest } from '../support/testEngine.ts';

const runtimes: readonly ContainerRuntime[] = ['node', 'deno', 'python'];
const isolations = isolationsUnderTest();

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

function opened(house: DockerHouse | undefined): DockerHouse {
  if (house === undefined) throw new Error('the house was not opened');
  return house;
}

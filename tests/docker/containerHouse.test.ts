import { describe, expect, it } from 'vitest';
import { openContainerHouse } from '../support/containerHouse.ts';
import { isolationsUnderTest } from '../support/testEngine.ts';

describe.each(isolationsUnderTest())('a broker with the real engine (%s)', (isolation) => {
  it('runs what its owner approved in a container of its own, and leaves none behind', async () => {
    const house = await openContainerHouse({ runtimes: ['node'], isolation });
    try {
      const agent = house.agent();
      const id = await house.begin(agent, { runtime: 'node', isolation, code: "console.log('in', process.platform)" });
      expect(await agent.result(id, 60_000)).toMatchObject({ status: 'success', result: { stdout: 'in linux\n' } });
      expect(house.broker.owner.requestDetail(id)).toMatchObject({ status: 'success' });
    } finally {
      await house.stop();
    }
  });
});

describe('what an outsider sees of a house with containers', () => {
  it('is one container that stands ready, made by it and by nobody else', async () => {
    const house = await openContainerHouse({ runtimes: ['node'] });
    try {
      const [ready] = await house.engine.until(house.installId, (all) => all.some(({ state }) => state === 'running'));
      const facts = await house.engine.inspect(ready?.id ?? '');
      expect(facts).toMatchObject({ State: { Status: 'running' }, HostConfig: { NetworkMode: 'none', Binds: null } });
    } finally {
      await house.stop();
    }
  });
});

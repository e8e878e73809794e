import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTestBroker, type TestBroker } from '../support/broker.ts';

// That an address and a port are refused is shown in tests/attacks/net-addresses.test.ts; here, that the house says which
// port is its own: it is known only once the bridge listens.

let house: TestBroker;

beforeEach(async () => {
  house = await startTestBroker({ env: { OAUTH3_EGRESS_HOSTS: 'environment.lan=127.0.0.1' } });
});
afterEach(() => house.stop());

const portOf = ({ url }: TestBroker): number => Number(new URL(url).port);

/** What code is told that asks for `/health` of this app. */
async function runAgainst(name: string): Promise<Readonly<Record<string, unknown>>> {
  const at = `${name}:${portOf(house)}`;
  const agent = house.agent();
  const { body } = await agent.execute({
    skill_id: 'curious',
    code: `const answer = await fetch('http://${at}/health');\nconsole.log(answer.status, await answer.text());`,
    metadata: { network: [at] },
  });
  const id = String(body.request_id);
  await house.decide(id, 'once');
  return agent.result(id);
}

describe('a run never reaches the bridge of its own house, although the owner named this machine', () => {
  it.each(['environment.lan', 'owner.lan', 'port.lan'])('N238 A26 D74 as %s', async (name) => {
    house.owner.addLocalService('desktop', 'owner.lan=127.0.0.1');
    house.owner.addLocalService('desktop', `port.lan=127.0.0.1:${portOf(house)}`);
    expect(await runAgainst(name)).toMatchObject({
      status: 'success',
      result: {
        stdout: expect.stringMatching(/^502 \{"error":"address_refused"/),
        egress: [{ host: `${name}:${portOf(house)}`, status: 502, refused: 'address_refused' }],
      },
    });
  });
});

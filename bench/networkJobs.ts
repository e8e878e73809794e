import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { UsableEngine } from '../scripts/setup/containerEngine.ts';
import { makeAuthority } from '../tests/support/certificates.ts';
import { addSecret, type ContainerHouse, startContainerHouse } from './containerHouse.ts';
import { benchLabel, docker, dockerRunArgs } from './dockerRun.ts';
import { startProgram } from './process.ts';

const hostName = 'api.bench.example';
const secretName = 'BENCH_KEY';
const roots = '/bench/roots.pem';

const networkSchema = z
  .array(z.looseObject({ IPAM: z.looseObject({ Config: z.array(z.looseObject({ Gateway: z.string() })).min(1) }) }))
  .min(1);

/** A Node program that prints a list of figures, run both ways: with a stand-in through the tunnel, with the key by itself. */
export type NetworkJob = Readonly<{
  tunnel: () => Promise<readonly number[]>;
  bridge: () => Promise<readonly number[]>;
}>;

export type NetworkHouse = Readonly<{
  /** Code is made for the address of the service; the key is in `process.env.BENCH_KEY`. */
  job: (code: (origin: string) => string) => Promise<NetworkJob>;
  close: () => Promise<void>;
}>;

/**
 * One HTTPS service in a process of its own, on the gateway address of a bridge network made for the bench. A container of
 * that network dials it directly; the broker dials the same address for a sandbox that has no network.
 */
export async function startNetworkHouse(engine: UsableEngine): Promise<NetworkHouse> {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-bench-'));
  const undo: (() => Promise<unknown>)[] = [async () => rmSync(folder, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const step of undo.toReversed()) await step();
  };
  try {
    const key = `sk-bench-${randomBytes(24).toString('base64url')}`;
    const authority = await makeAuthority('OAuth3 bench');
    const certificate = await authority.issue([hostName]);
    const files = { 'cert.pem': certificate.cert, 'key.pem': certificate.key, 'key.txt': key };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 });
    // For the user of the container, too.
    writeFileSync(join(folder, 'roots.pem'), authority.certPem, { mode: 0o644 });

    const network = `oauth3-bench-${randomBytes(6).toString('hex')}`;
    await docker(engine.url, ['network', 'create', '--label', `${benchLabel}=1`, network]);
    undo.push(() => docker(engine.url, ['network', 'rm', network]));
    const inspected = networkSchema.parse(JSON.parse(await docker(engine.url, ['network', 'inspect', network])));
    const gateway = inspected[0]?.IPAM.Config[0]?.Gateway ?? '';
    const server = await startProgram(
      [process.execPath, join(import.meta.dirname, 'fixtures/httpsServer.ts'), folder, gateway],
      process.env,
      (line) => line.startsWith('ready '),
    );
    undo.push(() => server.stop());
    const origin = `https://${hostName}:${server.line.split(' ')[1]}`;

    const house = await startContainerHouse(engine, {
      OAUTH3_EGRESS_CA_FILE: join(folder, 'roots.pem'),
      OAUTH3_EGRESS_HOSTS: `${hostName}=${gateway}`,
    });
    undo.push(() => house.close());
    addSecret(house, secretName, new URL(origin).host, key);
    const imageId = house.images(['node'], 'container').get('node') ?? '';
    const bridgeRun = (code: string): Promise<string> =>
      docker(
        engine.url,
        dockerRunArgs({
          imageId,
          engineRuntime: 'runc',
          profileFile: house.profileFile,
          command: ['/usr/local/bin/node', '--input-type=module', '-'],
          env: { [secretName]: key, NODE_EXTRA_CA_CERTS: roots },
          network,
          flags: ['--add-host', `${hostName}:${gateway}`, '--volume', `${join(folder, 'roots.pem')}:${roots}:ro`],
        }),
        code,
      );
    return { job: (code) => networkJob(house, code(origin), new URL(origin).host, bridgeRun), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function networkJob(
  house: ContainerHouse,
  code: string,
  host: string,
  bridgeRun: (code: string) => Promise<string>,
): Promise<NetworkJob> {
  const run = await house.trusted({
    code,
    secrets: [secretName],
    metadata: { runtime: 'node', secrets: [secretName], network: [host], timeout: 300 },
  });
  const figures = (printed: string): readonly number[] => z.array(z.number()).min(1).parse(JSON.parse(printed));
  return {
    tunnel: async () => figures(await run()),
    bridge: async () => figures(await bridgeRun(code)),
  };
}

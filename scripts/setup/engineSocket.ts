import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { EngineApi, EngineError } from '../../main/backends/docker/engineApi.ts';

/** Where engines listen unless DOCKER_HOST says otherwise. */
export const defaultEngineUrl = 'unix:///var/run/docker.sock';

/** An engine that answers; whether it can run anything is another question. */
export type EngineSocket = Readonly<{
  /** As in DOCKER_HOST: `unix://` and an absolute path. */
  url: string;
  socketPath: string;
  /** The group that may use the socket besides root; null where root alone may. */
  socketGroupId: number | null;
  version: string;
  /** What containers can be started with, and the arguments that the engine gives it. */
  runtimes: Readonly<Record<string, readonly string[]>>;
}>;

const infoSchema = z.looseObject({
  ServerVersion: z.string().default(''),
  Runtimes: z.record(z.string(), z.looseObject({ runtimeArgs: z.array(z.string()).nullish() })).nullish(),
});

/** Runs `body` with the app's client for the engine at a socket. */
export const withEngine = async <Result>(
  socketPath: string,
  body: (api: EngineApi) => Promise<Result>,
): Promise<Result> => {
  const api = new EngineApi({ kind: 'local', socketPath });
  try {
    return await body(api);
  } finally {
    api.close();
  }
};

/** What answers at `url`; undefined when that is no socket of this machine or nothing answers there. */
export const engineAt = async (url: string): Promise<EngineSocket | undefined> => {
  const socketPath = /^unix:\/\/(\/.+)$/.exec(url)?.[1];
  if (socketPath === undefined) return undefined;
  const info = await withEngine(socketPath, (api) => api.json({ method: 'GET', path: '/info' }, infoSchema)).catch(
    (error: unknown) => {
      if (error instanceof EngineError) return undefined;
      throw error;
    },
  );
  if (info === undefined) return undefined;
  const { gid, mode } = await stat(socketPath);
  return {
    url,
    socketPath,
    socketGroupId: gid !== 0 && (mode & 0o060) === 0o060 ? gid : null,
    version: info.ServerVersion,
    runtimes: Object.fromEntries(
      Object.entries(info.Runtimes ?? {}).map(([name, { runtimeArgs }]) => [name, runtimeArgs ?? []]),
    ),
  };
};

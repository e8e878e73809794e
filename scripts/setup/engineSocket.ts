import { stat } from 'node:fs/promises';
import { request } from 'node:http';

/** Where engines listen unless DOCKER_HOST says otherwise. */
export const defaultEngineUrl = 'unix:///var/run/docker.sock';

const ANSWER_LIMIT_MS = 30_000;
const ANSWER_LIMIT_BYTES = 1 << 20;

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

export type EngineAnswer = Readonly<{ status: number; text: string }>;

/** One request to the engine; undefined when none answers in time. An object goes out as JSON, bytes as they are. */
export const askEngine = (
  socketPath: string,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: Readonly<Record<string, unknown>> | Uint8Array,
): Promise<EngineAnswer | undefined> =>
  new Promise((resolve) => {
    const bytes = body === undefined || body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));
    const type = body instanceof Uint8Array ? 'application/x-tar' : 'application/json';
    const headers = { host: 'engine', ...(bytes ? { 'content-type': type, 'content-length': bytes.length } : {}) };
    const signal = AbortSignal.timeout(ANSWER_LIMIT_MS);
    const asked = request({ socketPath, method, path, headers, signal }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        if (text.length > ANSWER_LIMIT_BYTES) asked.destroy();
      });
      answer.once('error', () => resolve(undefined));
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    asked.once('error', () => resolve(undefined));
    asked.end(bytes);
  });

type EngineInfo = Readonly<{
  ServerVersion?: string;
  Runtimes?: Readonly<Record<string, Readonly<{ runtimeArgs?: readonly string[] | null }>>>;
}>;

/** What answers at `url`; undefined when that is no socket of this machine or nothing answers there. */
export const engineAt = async (url: string): Promise<EngineSocket | undefined> => {
  const socketPath = /^unix:\/\/(\/.+)$/.exec(url)?.[1];
  if (socketPath === undefined) return undefined;
  const answer = await askEngine(socketPath, 'GET', '/info');
  if (answer?.status !== 200) return undefined;
  const info: EngineInfo = JSON.parse(answer.text);
  const { gid, mode } = await stat(socketPath);
  return {
    url,
    socketPath,
    socketGroupId: gid !== 0 && (mode & 0o060) === 0o060 ? gid : null,
    version: info.ServerVersion ?? '',
    runtimes: Object.fromEntries(
      Object.entries(info.Runtimes ?? {}).map(([name, { runtimeArgs }]) => [name, runtimeArgs ?? []]),
    ),
  };
};

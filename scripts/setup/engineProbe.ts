import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { packTar } from 'modern-tar';
import { z } from 'zod';
import { type EngineApi, EngineError } from '../../main/backends/docker/engineApi.ts';
import { type EngineSocket, withEngine } from './engineSocket.ts';

const LOAD_ADDRESS = 0x400000n;
const HEADERS_BYTES = 64 + 56;

/** exit(0), and nothing else, in the language of the processor. */
const machines: Readonly<Record<string, Readonly<{ id: number; code: string }>>> = {
  x64: { id: 0x3e, code: 'b83c00000031ff0f05' },
  arm64: { id: 0xb7, code: 'a80b8052000080d2010000d4' },
};

/** A whole static program (ELF, one segment): there is no image to pull from, and none is needed for this. */
export const smallestProgram = (architecture: string): Buffer | undefined => {
  const machine = machines[architecture];
  if (!machine) return undefined;
  const code = Buffer.from(machine.code, 'hex');
  const file = Buffer.alloc(HEADERS_BYTES + code.length);
  file.write('7f454c46020101', 'hex');
  file.writeUInt16LE(2, 16); // executable
  file.writeUInt16LE(machine.id, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(LOAD_ADDRESS + BigInt(HEADERS_BYTES), 24); // entry
  file.writeBigUInt64LE(64n, 32); // program header
  file.writeUInt16LE(64, 52);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(1, 56);
  file.writeUInt32LE(1, 64); // load
  file.writeUInt32LE(5, 68); // read and execute
  file.writeBigUInt64LE(LOAD_ADDRESS, 80);
  file.writeBigUInt64LE(LOAD_ADDRESS, 88);
  file.writeBigUInt64LE(BigInt(file.length), 96);
  file.writeBigUInt64LE(BigInt(file.length), 104);
  file.writeBigUInt64LE(0x1000n, 112);
  code.copy(file, HEADERS_BYTES);
  return file;
};

const createdSchema = z.looseObject({ Id: z.string() });
const endedSchema = z.looseObject({ StatusCode: z.number() });

/** Whether it can be cleaned up is not what is asked. */
const remove = (api: EngineApi, path: string): Promise<void> =>
  api.send({ method: 'DELETE', path, query: { force: 'true' } }).catch(() => undefined);

/** Undefined when its first program ended well. Throws EngineError. */
const runOnce = async (api: EngineApi, image: string, runtime: string | undefined): Promise<string | undefined> => {
  const json = {
    Image: image,
    Cmd: ['/exit'],
    Labels: { 'oauth3.probe': 'true' },
    NetworkDisabled: true,
    HostConfig: {
      ...(runtime === undefined ? {} : { Runtime: runtime }),
      NetworkMode: 'none',
      LogConfig: { Type: 'none' },
    },
  };
  const { Id } = await api.json({ method: 'POST', path: '/containers/create', json }, createdSchema);
  try {
    await api.send({ method: 'POST', path: `/containers/${Id}/start` });
    const { StatusCode } = await api.json({ method: 'POST', path: `/containers/${Id}/wait` }, endedSchema);
    return StatusCode === 0 ? undefined : `its first program ended with ${StatusCode}`;
  } finally {
    await remove(api, `/containers/${Id}`);
  }
};

/**
 * Runs one container with a program of 130 bytes, because an engine that answers may still not be allowed to run any,
 * and a runtime that is listed may not work (default: the engine's own). Answers what is wrong, undefined when nothing
 * is; leaves nothing behind.
 */
export const problemWithRuntime = async (engine: EngineSocket, runtime?: string): Promise<string | undefined> => {
  if (runtime !== undefined && !(runtime in engine.runtimes)) return `it does not list the runtime ${runtime}`;
  const program = smallestProgram(process.arch);
  if (!program) return undefined;
  const repo = 'oauth3-probe';
  const tag = randomBytes(6).toString('hex');
  const packed = await packTar([{ header: { name: 'exit', size: program.length, mode: 0o755 }, body: program }]);
  try {
    return await withEngine(engine.socketPath, async (api) => {
      const query = { fromSrc: '-', repo, tag };
      await api.send({ method: 'POST', path: '/images/create', query, archive: Readable.from([packed]) });
      try {
        return await runOnce(api, `${repo}:${tag}`, runtime);
      } finally {
        await remove(api, `/images/${repo}:${tag}`);
      }
    });
  } catch (error) {
    if (error instanceof EngineError) return error.message;
    throw error;
  }
};

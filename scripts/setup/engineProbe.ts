import { randomBytes } from 'node:crypto';
import { packTar } from 'modern-tar';
import { askEngine, type EngineAnswer, type EngineSocket } from './engineSocket.ts';

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

/** The engine's own words about what it could not do. */
const wordsOf = (answer: EngineAnswer | undefined): string => {
  if (!answer) return 'it does not answer';
  const { message }: { message?: string } = JSON.parse(answer.text || '{}');
  return message ?? `status ${answer.status}`;
};

const runOnce = async (socketPath: string, image: string, runtime: string | undefined): Promise<string | undefined> => {
  const created = await askEngine(socketPath, 'POST', '/containers/create', {
    Image: image,
    Cmd: ['/exit'],
    Labels: { 'oauth3.probe': 'true' },
    NetworkDisabled: true,
    HostConfig: {
      ...(runtime === undefined ? {} : { Runtime: runtime }),
      NetworkMode: 'none',
      LogConfig: { Type: 'none' },
    },
  });
  if (created?.status !== 201) return wordsOf(created);
  const { Id }: { Id: string } = JSON.parse(created.text);
  try {
    const started = await askEngine(socketPath, 'POST', `/containers/${Id}/start`);
    if (started?.status !== 204) return wordsOf(started);
    const ended = await askEngine(socketPath, 'POST', `/containers/${Id}/wait`);
    if (ended?.status !== 200) return wordsOf(ended);
    const { StatusCode }: { StatusCode: number } = JSON.parse(ended.text);
    return StatusCode === 0 ? undefined : `its first program ended with ${StatusCode}`;
  } finally {
    await askEngine(socketPath, 'DELETE', `/containers/${Id}?force=true&v=true`);
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
  const image = `oauth3-probe:${randomBytes(6).toString('hex')}`;
  const archive = await packTar([{ header: { name: 'exit', size: program.length, mode: 0o755 }, body: program }]);
  const [repo, tag] = image.split(':');
  const imported = await askEngine(
    engine.socketPath,
    'POST',
    `/images/create?fromSrc=-&repo=${repo}&tag=${tag}`,
    archive,
  );
  if (imported?.status !== 200) return wordsOf(imported);
  try {
    return await runOnce(engine.socketPath, image, runtime);
  } finally {
    await askEngine(engine.socketPath, 'DELETE', `/images/${image}?force=true`);
  }
};

import { connect, type Socket } from 'node:net';
import {
  type ControlCommand,
  type ControlParams,
  type ControlValue,
  controlAnswerSchema,
  maxControlLine,
} from '../contract/control.ts';

/** Nobody listens on the socket: exit 3. */
export class NotRunningError extends Error {
  constructor(dataDir: string) {
    super(`OAuth3 is not running (data folder ${dataDir}). Start it with: npm start`);
    this.name = 'NotRunningError';
  }
}

/** The app refused or failed: exit 1. */
export class RefusedError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  constructor(code: string, message: string, hint?: string) {
    super(message);
    this.name = 'RefusedError';
    this.code = code;
    this.hint = hint;
  }
}

export type Address = Readonly<{ path: string; token: string | null; dataDir: string }>;

/** One command over one connection. `onPart` gets the pieces of a streaming command. */
export async function call<Name extends ControlCommand>(
  address: Address,
  command: Name,
  params: ControlParams<Name>,
  onPart: (part: string) => void = () => {},
): Promise<ControlValue<Name>> {
  const socket = await open(address);
  try {
    const token = address.token === null ? {} : { token: address.token };
    socket.write(`${JSON.stringify({ id: 1, command, params, ...token })}\n`);
    // The broker of the same package answers what the contract says for this command.
    return (await answer(socket, onPart)) as ControlValue<Name>;
  } finally {
    socket.destroy();
  }
}

function open(address: Address): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(address.path);
    socket.once('connect', () => resolve(socket));
    socket.once('error', (error) => {
      const code = 'code' in error ? error.code : undefined;
      if (code === 'EACCES' || code === 'EPERM') {
        return reject(new RefusedError('forbidden', `This user may not open ${address.path}`));
      }
      reject(new NotRunningError(address.dataDir));
    });
  });
}

function answer(socket: Socket, onPart: (part: string) => void): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let parts: Buffer[] = [];
    let size = 0;
    const broken = (): void => reject(new RefusedError('internal', 'The app closed the connection without an answer'));
    const take = (line: string): void => {
      const message = controlAnswerSchema.safeParse(JSON.parse(line)).data;
      if (message === undefined) broken();
      else if ('part' in message) onPart(message.part);
      else if (message.ok) resolve(message.value);
      else reject(new RefusedError(message.error.code, message.error.message, message.error.hint));
    };
    socket.on('error', broken);
    socket.on('close', broken);
    socket.on('data', (chunk: Buffer) => {
      let rest = chunk;
      for (let end = rest.indexOf(0x0a); end !== -1; end = rest.indexOf(0x0a)) {
        const line = Buffer.concat([...parts, rest.subarray(0, end)]).toString('utf8');
        parts = [];
        size = 0;
        rest = rest.subarray(end + 1);
        try {
          take(line);
        } catch {
          broken();
        }
      }
      size += rest.length;
      if (size > maxControlLine * 4) return broken();
      if (rest.length > 0) parts.push(rest);
    });
  });
}

import type http from 'node:http';
import type { BotFile } from './botApiChats.ts';
import { parseMultipart } from './multipart.ts';

export async function readBody(request: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

type Payload = Readonly<{ fields: Readonly<Record<string, unknown>>; files: ReadonlyMap<string, BotFile> }>;

/** Fields and files of a call, whether it came as JSON or as a form. */
export function readPayload(body: Buffer, contentType: string): Payload {
  if (!contentType.startsWith('multipart/')) {
    const fields: unknown = body.length === 0 ? {} : JSON.parse(body.toString('utf8'));
    return { fields: typeof fields === 'object' && fields !== null ? { ...fields } : {}, files: new Map() };
  }
  const fields: Record<string, unknown> = {};
  const files = new Map<string, BotFile>();
  for (const part of parseMultipart(body, contentType)) {
    const text = part.bytes.toString('utf8');
    if (part.fileName !== null) files.set(part.name, { name: part.fileName, bytes: Buffer.from(part.bytes) });
    else fields[part.name] = /^[[{]/.test(text) ? JSON.parse(text) : text;
  }
  return { fields, files };
}

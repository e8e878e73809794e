import type { DoorResponse, HeaderPair } from '../../main/core/door.ts';
import { Upstream, type UpstreamRequest, type UpstreamResponse } from '../../main/net/upstream.ts';

/** A request as it would go out; the body as one character a byte. */
export type Sent = Readonly<{ request: UpstreamRequest; body: string }>;

/** An upstream that notes what would go out and sends all of it back. */
export class Mirror extends Upstream {
  sent: Sent[] = [];

  override async exchange(request: UpstreamRequest): Promise<UpstreamResponse> {
    const pieces: Uint8Array[] = [];
    if (request.body instanceof Uint8Array) pieces.push(request.body);
    else if (request.body !== null) for await (const piece of request.body) pieces.push(piece);
    const body = Buffer.concat(pieces).toString('latin1');
    this.sent.push({ request, body });
    const echo = [request.path, ...[...request.headers].flat(), body].join('\n');
    const headers = [...request.headers].filter(([name]) => !['host', 'accept-encoding'].includes(name));
    return {
      status: 200,
      headers: [...headers.map(([name, value]): HeaderPair => [`echo-${name}`, value]), ['location', request.path]],
      body: (async function* () {
        yield Buffer.from(echo, 'latin1');
        request.onEnd?.(null);
      })(),
      close: () => request.onEnd?.(null),
    };
  }
}

/** Head and body of an answer, all that the code gets to see. */
export async function textOf(answer: DoorResponse): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of answer.body) pieces.push(piece);
  return Buffer.concat([Buffer.from(answer.headers.flat().join('\n'), 'latin1'), Buffer.from('\n'), ...pieces]);
}

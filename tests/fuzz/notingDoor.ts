import type { DoorRequest, DoorResponse, EgressDoor } from '../../main/core/door.ts';
import { anyTunnel } from '../../main/runs/testDoor.ts';
import type { SlowRequest } from './slowHttp.ts';

/** A door that reads each body and notes what it was asked. */
export class NotingDoor implements EgressDoor {
  readonly whole: SlowRequest[] = [];
  open = 0;
  readonly tunnel = anyTunnel.tunnel;
  readonly webSocket = anyTunnel.webSocket;
  readonly refusedEarly = anyTunnel.refusedEarly;

  async request({ method, url, headers, body }: DoorRequest): Promise<DoorResponse> {
    // A tunnel in a tunnel is asked for so that the engine refuses it and writes it down.
    if (method === 'CONNECT') {
      return { status: 403, statusText: 'Forbidden', headers: [], body: (async function* () {})(), refused: true };
    }
    this.open += 1;
    try {
      const pieces: Uint8Array[] = [];
      if (body instanceof Uint8Array) pieces.push(body);
      else if (body !== null) for await (const piece of body) pieces.push(piece);
      this.whole.push({
        method,
        url,
        headers: headers.map(([name, value]) => [name, value]),
        body: Buffer.concat(pieces).toString('latin1'),
      });
    } finally {
      this.open -= 1;
    }
    return {
      status: 200,
      statusText: 'OK',
      headers: [['content-length', '2']],
      body: (async function* () {
        yield Buffer.from('ok');
      })(),
    };
  }
}

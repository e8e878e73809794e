import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from '../../main/backends/testing.ts';
import { webSocketAccept } from '../../main/net/webSocket.ts';
import { type DockerHouse, openDockerHouse } from '../support/dockerHouse.ts';
import { type EgressHouse, startEgressHouse } from '../support/egressHouse.ts';

const host = 'live.example.com';
let gateway: EgressHouse;
let house: DockerHouse;

beforeAll(async () => {
  gateway = await startEgressHouse([host]);
  house = await openDockerHouse(['deno', 'node']);
  // Greets in a text frame, closes in the next, and leaves when the client has closed too (RFC 6455, section 5).
  gateway.upstream.setUpgrade((request, socket) => {
    socket.on('error', () => {});
    const accept = webSocketAccept(String(request.headers['sec-websocket-key']));
    socket.write(
      `HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    socket.write(Buffer.from('\x81\x05hello\x88\x02\x03\xe8', 'latin1'));
    socket.on('data', () => socket.end());
  });
});
afterAll(async () => {
  await house.close();
  await gateway.close();
});

const code = `
const said: string[] = [];
const socket = new WebSocket('wss://${host}/live');
socket.onmessage = ({ data }) => said.push(String(data));
socket.onerror = () => said.push('error');
await new Promise((resolve) => { socket.onclose = resolve; });
console.log(said.join());
`;

describe.each(['deno', 'node'] as const)('a WebSocket of %s in a container', (runtime) => {
  it.each([
    [`wss://${host}`, 'hello\n', { status: 101, refused: null }],
    [host, 'error\n', { status: 403, refused: 'upgrade_refused' }],
  ])('declared as %s says %j (ATTACKS B49)', async (entry, printed, record) => {
    const run = gateway.open({ network: [entry] });
    const backend = house.backend({ isolation: 'container', poolSize: 0 });
    await backend.start();
    const { stdout, stderr } = await runProgram(backend, runtime, code, { egress: run.session });
    await backend.stop();
    run.session.close();
    expect({ stdout, stderr }).toEqual({ stdout: printed, stderr: '' });
    // Refused, Deno tries once more by HTTP/2 alone, which is no protocol of ours (ATTACKS B50).
    const again = runtime === 'deno' && record.refused !== null ? [{ refused: 'tls_refused' }] : [];
    expect(run.records).toMatchObject([record, ...again]);
  });
});

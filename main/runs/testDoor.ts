import type { EgressDoor } from '../core/door.ts';

/** For tests: what a door has besides requests. Every tunnel is opened, no WebSocket, and nothing is recorded. */
export const anyTunnel: Omit<EgressDoor, 'request'> = {
  async webSocket() {
    const body = (async function* () {})();
    return { ok: false, answer: { status: 403, statusText: 'Forbidden', headers: [], body, refused: true } };
  },

  refusedEarly() {},

  tunnel(authority) {
    const at = authority.lastIndexOf(':');
    return { ok: true, host: authority.slice(0, at), port: Number(authority.slice(at + 1)) };
  },
};

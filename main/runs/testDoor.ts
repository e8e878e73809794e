import type { EgressDoor } from '../core/door.ts';

/** For tests: the half of a door that lets every tunnel be opened. */
export const anyTunnel: Pick<EgressDoor, 'tunnel'> = {
  tunnel(authority) {
    const at = authority.lastIndexOf(':');
    return { ok: true, host: authority.slice(0, at), port: Number(authority.slice(at + 1)) };
  },
};

import { base62 } from './base62.ts';

const idBytes = 16;

/** What an id names: agent, approval, decision, pairing, request, run, secret, key slot, wake. */
export type IdPrefix = 'agt' | 'apr' | 'dec' | 'pair' | 'req' | 'run' | 'sec' | 'slot' | 'wak';

/** A new unguessable id: 22 letters or digits, 128 bits. `random` returns that many cryptographically random bytes. */
export function makeId<Prefix extends IdPrefix>(
  prefix: Prefix,
  random: (bytes: number) => Uint8Array,
): `${Prefix}_${string}` {
  return `${prefix}_${base62(random(idBytes))}`;
}

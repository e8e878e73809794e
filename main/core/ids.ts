import type { Id, IdPrefix } from '../../contract/ids.ts';
import { base62 } from './base62.ts';

const idBytes = 16;

/** A new unguessable id of 128 bits. `random` returns that many cryptographically random bytes. */
export function makeId<Prefix extends IdPrefix>(prefix: Prefix, random: (bytes: number) => Uint8Array): Id<Prefix> {
  return `${prefix}_${base62(random(idBytes))}`;
}

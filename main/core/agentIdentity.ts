import { agentTokenShape } from '../../contract/bridge.ts';
import { base62 } from './base62.ts';
import { sha256Hex } from './digest.ts';

const tokenBytes = 32;
// One space at a time and none at the end, and nothing that is not drawn: `bot` and `bot ` would look like one agent.
const namePattern = /^(?=.{1,64}$)[\p{L}\p{N}](?: ?[\p{L}\p{N}._@-])*$/u;
const notDrawn = /\p{Default_Ignorable_Code_Point}/u;

// A card that says "System wants to run" would be read as ours.
const reservedNames: ReadonlySet<string> = new Set([
  'admin',
  'broker',
  'cli',
  'desktop',
  'oauth3',
  'owner',
  'sample',
  'system',
  'telegram',
]);

/** A new token (256 bits, `oa3_` and 43 letters or digits) and the hash that is kept of it. */
export function makeAgentToken(random: (bytes: number) => Uint8Array): Readonly<{ token: string; sha256: string }> {
  const token = `oa3_${base62(random(tokenBytes))}`;
  return { token, sha256: sha256Hex(token) };
}

/** The hash to look a presented token up by; null when it cannot be one of ours. */
export function agentTokenHash(token: string): string | null {
  return agentTokenShape.test(token) ? sha256Hex(token) : null;
}

/** Whether an agent may call itself this. */
export function isAgentName(name: string): boolean {
  return (
    namePattern.test(name) && !notDrawn.test(name) && !reservedNames.has(name.normalize('NFKC').toLowerCase().trim())
  );
}

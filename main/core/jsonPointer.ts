/** The keys and indexes on the way to one value of a JSON document, from the outside in. Never empty. */
export type JsonPointer = readonly string[];

const maxLength = 300;
// RFC 6901, section 3, without the pointer to the whole document: that has no name an owner could be shown.
const syntax = /^(?:\/(?:[^/~]|~[01])*)+$/;

/** Reads an RFC 6901 pointer (`/auth/key`, `/items/0/key`; `~1` is `/`, `~0` is `~`) of 300 characters at most; null for anything else. */
export function parseJsonPointer(text: string): JsonPointer | null {
  if (text.length > maxLength || !syntax.test(text)) return null;
  return text
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

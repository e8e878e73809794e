import type { HeaderPair } from '../core/door.ts';
import type { Redactor } from '../core/redaction.ts';
import { connectionNames, hopByHop } from './requestHeaders.ts';

// `alt-svc` would send clients looking for a QUIC path that does not exist (ATTACKS B46); the body comes unpacked.
const dropped: ReadonlySet<string> = new Set(['alt-svc', 'content-encoding', 'trailer']);

/** Redacts a header value byte by byte: Node hands it over as one character per byte. */
function redactedValue(value: string, redactor: Redactor): string {
  return Buffer.from(redactor.bytes(Buffer.from(value, 'latin1'))).toString('latin1');
}

/**
 * The headers of an answer as the code may see them: hop-by-hop, framing and Alt-Svc dropped, every value redacted. A
 * name that would show a secret is dropped with its value. The length is true only where no body is redacted.
 */
export function answerHeaders(
  headers: readonly HeaderPair[],
  redactor: Redactor,
  keepLength: boolean,
): readonly HeaderPair[] {
  const listed = connectionNames(headers);
  return headers
    .filter(([rawName]) => {
      const name = rawName.toLowerCase();
      if (name === 'content-length') return keepLength;
      return !hopByHop.has(name) && !listed.has(name) && !dropped.has(name) && redactor.text(rawName) === rawName;
    })
    .map(([name, value]): HeaderPair => [name, redactedValue(value, redactor)]);
}

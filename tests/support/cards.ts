import type { Card, CardCode } from '../../contract/card.ts';
import type { Segment } from '../../contract/display.ts';

export const plain = (text: string): readonly Segment[] => [{ kind: 'text', text }];

/** Code of a card as it stands, one segment a line. */
export function cardCode(text: string, sha256: string): CardCode {
  const lines = text.split('\n').map((line) => (line === '' ? [] : plain(line)));
  return { sha256, bytes: Buffer.byteLength(text), language: 'typescript', lines };
}

/** A card of a run that waits and can take every verdict; change what the test is about. */
export function makeCard(change: Partial<Card> = {}): Card {
  return {
    subject: 'run',
    id: 'req_0000000000000000000001',
    revision: 'rev-1',
    createdAtMs: 1_000,
    expiresAtMs: 1_801_000,
    sentence: plain('Agent laptop wants to run skill weather once.'),
    changes: [],
    facts: [
      { key: 'secrets', label: 'Secrets', tone: 'notice', value: plain('WEATHER_KEY → api.weather.example') },
      { key: 'network', label: 'Network', tone: 'plain', value: plain('api.weather.example:443') },
      { key: 'limits', label: 'Limits', tone: 'plain', value: plain('30 s, 256 MB') },
    ],
    quotes: [{ label: 'The agent says', text: plain('Looks up the weather') }],
    code: cardCode('console.log(1)', 'a'.repeat(64)),
    findings: [],
    missingSecrets: [],
    unboundSecrets: [],
    verdicts: ['once', '24h', 'forever', 'deny'],
    seenBefore: false,
    hasArgs: false,
    anyArgs: false,
    ...change,
  };
}

import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { agentIdSchema, requestIdSchema } from '../../contract/ids.ts';
import { makeId } from './ids.ts';

describe('makeId', () => {
  it('makes ids that their schema accepts and others refuse', () => {
    for (let turn = 0; turn < 200; turn += 1) {
      const id = makeId('req', randomBytes);
      expect(requestIdSchema.parse(id)).toBe(id);
      expect(agentIdSchema.safeParse(id).success).toBe(false);
    }
  });

  it('has one length, whatever the random bytes', () => {
    expect(makeId('req', (bytes) => new Uint8Array(bytes))).toBe(`req_${'0'.repeat(22)}`);
    expect(makeId('req', (bytes) => new Uint8Array(bytes).fill(255))).toHaveLength(26);
  });

  it.each(['req_', 'req_x', `req_${'a'.repeat(23)}`, `req_${'a'.repeat(21)}\n`, `req_${'-'.repeat(22)}`, 'REQ_', ''])(
    'and the schema refuses %j',
    (id) => expect(requestIdSchema.safeParse(id).success).toBe(false),
  );
});

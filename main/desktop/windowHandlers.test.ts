import { expect, it } from 'vitest';
import type { CardKey } from '../../contract/ipc.ts';
import { showCard } from './windowHandlers.ts';

it('opens a card that waits, and answers a click on one that does not wait any more', () => {
  const waits: CardKey = { subject: 'run', id: 'req_waits' };
  const opened: (string | null)[] = [];
  const presenter = {
    open: ({ id }: CardKey) => id === waits.id && opened.push(id) > 0,
    close: () => void opened.push(null),
  };
  showCard(presenter, waits);
  expect(() => showCard(presenter, { ...waits, id: 'req_ended' })).toThrow(
    expect.objectContaining({ code: 'already_decided' }),
  );
  showCard(presenter, null);
  expect(opened).toEqual([waits.id, null]);
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeCard } from '../../tests/support/cards.ts';
import type { Channel } from './channel.ts';

/** What a test needs to look at a channel from the owner's side. */
export type ChannelHarness = Readonly<{
  channel: Channel;
  /** How often the card is in front of the owner, and how often with buttons. Waits until nothing moves any more. */
  look(id: string): Promise<Readonly<{ shown: number; withButtons: number; text: string }>>;
  /** From now on nothing can be delivered; `restore` ends that. */
  cut(): void;
  restore(): void;
  dispose(): Promise<void>;
}>;

const approved = { kind: 'approved', verdict: 'once', by: 'in the app', text: 'Approved once in the app.' } as const;

/** What the desk relies on; every channel adapter runs it. */
export function describeChannel(name: string, make: () => Promise<ChannelHarness>): void {
  describe(`${name} keeps the contract of a channel`, () => {
    let harness: ChannelHarness;
    beforeEach(async () => {
      harness = await make();
    });
    afterEach(() => harness.dispose());

    it('shows a card with buttons and says so', async () => {
      const shown = await harness.channel.show(makeCard(), null);
      expect(shown.reached).toBe(true);
      expect(await harness.look(makeCard().id)).toMatchObject({ shown: 1, withButtons: 1 });
    });

    it('shows a card that it has already, found by its reference, only once', async () => {
      const { reference } = await harness.channel.show(makeCard(), null);
      await harness.channel.show(makeCard(), reference ?? null);
      expect(await harness.look(makeCard().id)).toMatchObject({ shown: 1, withButtons: 1 });
    });

    it('changes a card in place', async () => {
      const { reference } = await harness.channel.show(makeCard(), null);
      const sentence = [{ kind: 'text', text: 'Agent laptop wants something else.' }] as const;
      await harness.channel.update(makeCard({ revision: 'rev-2', sentence }), reference ?? null);
      const seen = await harness.look(makeCard().id);
      expect(seen).toMatchObject({ shown: 1, withButtons: 1 });
      expect(seen.text).toContain('Agent laptop wants something else.');
    });

    it('takes the buttons away when the card is closed', async () => {
      const { reference } = await harness.channel.show(makeCard(), null);
      await harness.channel.close(makeCard(), approved, reference ?? null);
      expect(await harness.look(makeCard().id)).toMatchObject({ withButtons: 0 });
    });

    it('ignores the end of a card that it never had', async () => {
      await expect(harness.channel.close(makeCard(), approved, null)).resolves.toBeUndefined();
      expect(await harness.look(makeCard().id)).toMatchObject({ shown: 0, withButtons: 0 });
    });

    it('answers "not reached" instead of rejecting when it cannot deliver', async () => {
      harness.cut();
      expect(await harness.channel.show(makeCard(), null)).toMatchObject({ reached: false });
      await expect(harness.channel.update(makeCard({ revision: 'rev-2' }), null)).resolves.toBeUndefined();
      await expect(harness.channel.close(makeCard(), approved, null)).resolves.toBeUndefined();
    });

    it('does not bring back with buttons what ended while it could not deliver', async () => {
      harness.cut();
      await harness.channel.show(makeCard(), null);
      await harness.channel.close(makeCard(), approved, null);
      harness.restore();
      expect(await harness.look(makeCard().id)).toMatchObject({ withButtons: 0 });
    });
  });
}

import type { Card } from '../../contract/card.ts';
import { CodedError } from '../../contract/errors.ts';
import type { DecisionContract, Handlers } from '../../contract/ipc.ts';
import type { OwnerActions } from '../../contract/owner.ts';
import type { ConfirmBinding, Desk } from '../approvals/channel.ts';
import type { Presenter } from './presenter.ts';

/** The only place in the app from which a decision can come. Every deciding call needs an armed card. */
export function decisionHandlers(
  owner: Pick<OwnerActions, 'addSecret' | 'extendRequest' | 'pauseAgent'>,
  desk: Pick<Desk, 'decide'>,
  confirmBinding: ConfirmBinding,
  presenter: Presenter,
  showRun: (id: string) => void,
): Handlers<DecisionContract> {
  const by = 'desktop';
  return {
    current: () => presenter.state(),
    drawn: ({ turn }) => presenter.drawn(turn),
    decide: async (decision) => {
      presenter.requireArmed(decision, decision.revision);
      const result = await desk.decide({ ...decision, principal: by });
      return result.ok ? { ok: true, text: result.outcome.text } : { ok: false, text: result.text };
    },
    confirmBinding: ({ requestId, name, hosts, revision }) => {
      presenter.requireArmed({ subject: 'run', id: requestId }, revision);
      confirmBinding(requestId, name, hosts, by);
    },
    addSecret: ({ name, value, hosts }) => {
      if (!openRun(presenter).missingSecrets.includes(name)) {
        throw new CodedError('not_found', 'The card that is open does not ask for this secret.');
      }
      return owner.addSecret(by, { name, value, ...(hosts.length > 0 ? { hosts } : {}) });
    },
    extend: ({ minutes }) => owner.extendRequest(by, openRun(presenter).id, minutes),
    pauseAgent: () => {
      owner.pauseAgent(by, presenter.offeredPause(), true);
      presenter.pauseDone();
    },
    showRun: () => showRun(presenter.endedRun()),
    close: () => presenter.close(),
  };
}

function openRun(presenter: Presenter): Card {
  const state = presenter.state();
  if (state?.kind === 'card' && state.card.subject === 'run') return state.card;
  throw new CodedError('not_found', 'No card of a run is open.');
}

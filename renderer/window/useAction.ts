import { useState } from 'react';
import { messageOf } from '../shared/api.ts';

/** Runs a call of the owner, keeps what went wrong for showing, and reloads the page's data when it went well. */
export function useAction(reload: () => void): Readonly<{
  problem: string | null;
  act: (action: () => Promise<unknown>) => Promise<boolean>;
}> {
  const [problem, setProblem] = useState<string | null>(null);
  async function act(action: () => Promise<unknown>): Promise<boolean> {
    try {
      await action();
      setProblem(null);
      return true;
    } catch (error) {
      setProblem(messageOf(error));
      return false;
    } finally {
      reload();
    }
  }
  return { problem, act };
}

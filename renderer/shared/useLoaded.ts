import { useCallback, useEffect, useRef, useState } from 'react';
import { messageOf } from './api.ts';
import { inOrder } from './inOrder.ts';

export type Loaded<Value> = Readonly<{ value: Value | null; problem: string | null; reload: () => void }>;

/**
 * Loads something now, whenever `changes` is another number and whenever `reload` is called; a slower earlier answer
 * never replaces a later one. What was asked for stays wanted when there is a newer question: where changes come faster
 * than answers, the page would show old rows for as long as they do.
 */
export function useLoaded<Value>(load: () => Promise<Value>, changes = 0): Loaded<Value> {
  const [turn, setTurn] = useState(0);
  const [value, setValue] = useState<Value | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const order = useRef(inOrder());
  // biome-ignore lint/correctness/useExhaustiveDependencies: `load` closes over a stable api; `turn` and `changes` ask for a reload
  useEffect(() => {
    const isNewest = order.current();
    load().then(
      (loaded) => {
        if (!isNewest()) return;
        setValue(loaded);
        setProblem(null);
      },
      (error: unknown) => {
        if (isNewest()) setProblem(messageOf(error));
      },
    );
  }, [turn, changes]);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  return { value, problem, reload };
}

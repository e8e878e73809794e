import { useCallback, useEffect, useState } from 'react';
import { messageOf } from './api.ts';

export type Loaded<Value> = Readonly<{ value: Value | null; problem: string | null; reload: () => void }>;

/**
 * Loads something now, whenever `changes` is another number and whenever `reload` is called; a slower earlier answer
 * never replaces a later one.
 */
export function useLoaded<Value>(load: () => Promise<Value>, changes = 0): Loaded<Value> {
  const [turn, setTurn] = useState(0);
  const [value, setValue] = useState<Value | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `load` closes over a stable api; `turn` and `changes` ask for a reload
  useEffect(() => {
    let current = true;
    load().then(
      (loaded) => {
        if (!current) return;
        setValue(loaded);
        setProblem(null);
      },
      (error: unknown) => {
        if (current) setProblem(messageOf(error));
      },
    );
    return () => {
      current = false;
    };
  }, [turn, changes]);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  return { value, problem, reload };
}

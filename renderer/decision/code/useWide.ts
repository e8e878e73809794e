import { useEffect, useState } from 'react';

/** From here on two versions of code have room beside each other, in CSS pixels of this view. */
const wide = '(min-width: 860px)';

/** Whether this view is wide. */
export function useWide(): boolean {
  const [isWide, setWide] = useState(() => window.matchMedia(wide).matches);
  useEffect(() => {
    const query = window.matchMedia(wide);
    const changed = (): void => setWide(query.matches);
    query.addEventListener('change', changed);
    return () => query.removeEventListener('change', changed);
  }, []);
  return isWide;
}

import { type RefObject, useEffect, useState } from 'react';

/** What weighs and stands below what can be seen. */
export type Below = Readonly<{ count: number; danger: boolean; show: () => void }>;

// Of an element with less than a line in sight nothing was read.
const lineHeight = 22;

/** Counts what is marked with `data-weight` and has to be scrolled to; `show` brings the first of it into sight. */
export function useBelow(scroller: RefObject<HTMLElement | null>): Below {
  const [below, setBelow] = useState({ count: 0, danger: false });
  useEffect(() => {
    const outer = scroller.current;
    if (outer === null) return;
    let frame = 0;
    const count = (): void => {
      const hidden = hiddenBelow(outer);
      const danger = hidden.some((element) => element.getAttribute('data-weight') === 'danger');
      setBelow((before) =>
        before.count === hidden.length && before.danger === danger ? before : { count: hidden.length, danger },
      );
    };
    const soon = (): void => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(count);
    };
    count();
    outer.addEventListener('scroll', soon, { passive: true });
    const observer = new ResizeObserver(soon);
    for (const element of [outer, ...outer.children]) observer.observe(element);
    return () => {
      cancelAnimationFrame(frame);
      outer.removeEventListener('scroll', soon);
      observer.disconnect();
    };
  }, [scroller]);
  const show = (): void => {
    const outer = scroller.current;
    if (outer !== null) hiddenBelow(outer)[0]?.scrollIntoView({ block: 'center' });
  };
  return { ...below, show };
}

function hiddenBelow(outer: HTMLElement): readonly Element[] {
  const edge = outer.getBoundingClientRect().bottom - lineHeight;
  return [...outer.querySelectorAll('[data-weight]')].filter((element) => element.getBoundingClientRect().top > edge);
}

import type { ComponentProps } from 'react';

/** A part of a page that scrolls by itself: by keyboard too, and with a name. */
export function ScrollRegion(props: Omit<ComponentProps<'section'>, 'tabIndex'> & Readonly<{ 'aria-label': string }>) {
  // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
  return <section tabIndex={0} {...props} />;
}

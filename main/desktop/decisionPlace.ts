import type { Rectangle } from './presenter.ts';

/** Width of the list that stays visible beside the decision view; below `NARROW` the view takes the whole width. */
const LIST_WIDTH = 300;
const NARROW = 860;
/** The page's own bar with its name and navigation stays free (renderer/window/App.module.css). */
const HEADER_HEIGHT = 56;

/**
 * Where the decision view stands in a window with this content, in the window's pixels. Main alone decides, so that the
 * page beside it can neither shrink nor cover it. `zoom` is the size at which both views are drawn.
 */
export function decisionPlace(content: Readonly<{ width: number; height: number }>, zoom: number): Rectangle {
  const x = content.width / zoom < NARROW ? 0 : Math.round(LIST_WIDTH * zoom);
  const y = Math.round(HEADER_HEIGHT * zoom);
  return { x, y, width: content.width - x, height: content.height - y };
}

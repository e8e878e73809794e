import type { Rectangle } from './presenter.ts';

/** Width of the list that stays visible beside the decision view; below `NARROW` the view takes the whole width. */
const LIST_WIDTH = 300;
const NARROW = 860;
/** The page's own bar with its name and navigation stays free (renderer/window/App.module.css). */
const HEADER_HEIGHT = 56;

/** Main alone decides where the decision view stands, so that the page beside it can neither shrink nor cover it. */
export function decisionPlace(content: Readonly<{ width: number; height: number }>): Rectangle {
  const x = content.width < NARROW ? 0 : LIST_WIDTH;
  return { x, y: HEADER_HEIGHT, width: content.width - x, height: content.height - HEADER_HEIGHT };
}

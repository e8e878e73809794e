import { join } from 'node:path';
import { type BrowserWindow, session, WebContentsView } from 'electron';
import { hardenSession } from './hardening.ts';
import { viewPreferences } from './mainWindow.ts';
import { serveView, viewUrl } from './scheme.ts';

/** Width of the list that stays visible beside the decision view; below `NARROW` the view takes the whole width. */
const LIST_WIDTH = 300;
const NARROW = 860;
const HEADER_HEIGHT = 56;

export type Rectangle = Readonly<{ x: number; y: number; width: number; height: number }>;

/** Main alone decides where the decision view stands, so that the page beside it can neither shrink nor cover it. */
export function decisionPlace(content: Readonly<{ width: number; height: number }>): Rectangle {
  const x = content.width < NARROW ? 0 : LIST_WIDTH;
  return { x, y: HEADER_HEIGHT, width: content.width - x, height: content.height - HEADER_HEIGHT };
}

/** The view with facts and buttons: own session, own origin, own preload, above everything in the window. */
export class DecisionView {
  readonly view: WebContentsView;
  readonly url = viewUrl('decision');
  readonly #window: BrowserWindow;
  #shown = false;

  constructor(window: BrowserWindow, paths: Readonly<{ renderer: string; preload: string }>) {
    const partition = 'oauth3-decision';
    const viewSession = session.fromPartition(partition);
    hardenSession(viewSession);
    serveView(viewSession, 'decision', paths.renderer);
    this.#window = window;
    this.view = new WebContentsView({ webPreferences: viewPreferences(join(paths.preload, 'decision.js'), partition) });
    void this.view.webContents.loadURL(this.url);
    window.on('resize', () => this.#place());
  }

  get shown(): boolean {
    return this.#shown;
  }

  show(): Rectangle {
    if (!this.#shown) this.#window.contentView.addChildView(this.view);
    this.#shown = true;
    return this.#place();
  }

  hide(): void {
    if (this.#shown) this.#window.contentView.removeChildView(this.view);
    this.#shown = false;
  }

  #place(): Rectangle {
    const [width = 0, height = 0] = this.#window.getContentSize();
    const place = decisionPlace({ width, height });
    if (this.#shown) this.view.setBounds(place);
    return place;
  }
}

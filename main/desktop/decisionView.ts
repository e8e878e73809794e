import { join } from 'node:path';
import { type BrowserWindow, session, WebContentsView } from 'electron';
import { decisionPlace } from './decisionPlace.ts';
import { surfaceColor, viewPreferences } from './mainWindow.ts';
import type { PresenterView, Rectangle } from './presenter.ts';
import { serveView, viewUrl } from './scheme.ts';

/** The view with facts and buttons: own session, own origin, own preload, above everything in the window. */
export class DecisionView implements PresenterView {
  readonly view: WebContentsView;
  readonly url = viewUrl('decision');
  readonly #window: BrowserWindow;
  readonly #zoom: () => number;
  #shown = false;

  constructor(window: BrowserWindow, paths: Readonly<{ renderer: string; preload: string }>, zoom: () => number) {
    this.#zoom = zoom;
    const partition = 'oauth3-decision';
    serveView(session.fromPartition(partition), 'decision', paths.renderer);
    this.#window = window;
    this.view = new WebContentsView({ webPreferences: viewPreferences(join(paths.preload, 'decision.js'), partition) });
    // Opaque in any case: what lies below must never look as if it were part of a card.
    this.view.setBackgroundColor(surfaceColor());
  }

  /** The page of cards, before the first one; one that died is started again by the next card, not in a loop by itself. */
  load(): void {
    const { webContents } = this.view;
    if (webContents.getURL() === '' || webContents.isCrashed()) void webContents.loadURL(this.url);
  }

  show(): Rectangle {
    if (!this.#shown) {
      this.load();
      this.#window.contentView.addChildView(this.view);
    }
    this.#shown = true;
    const [width = 0, height = 0] = this.#window.getContentSize();
    const place = decisionPlace({ width, height }, this.#zoom());
    this.view.setBounds(place);
    return place;
  }

  hide(): void {
    if (!this.#shown) return;
    this.#shown = false;
    this.#window.contentView.removeChildView(this.view);
    this.#window.webContents.focus();
  }

  focus(): void {
    this.view.webContents.focus();
  }
}

/** How large the views can be drawn, as factors of the usual size. */
export const zoomFactors = [0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2] as const;

type Key = Readonly<{ type: string; key: string; control: boolean; meta: boolean; alt: boolean }>;

/** The factor that a key press asks for: Ctrl (⌘ on a Mac) with plus, minus or 0. Null: it is another key. */
export function zoomFor(input: Key, current: number): number | null {
  if (input.type !== 'keyDown' || input.alt || input.control === input.meta) return null;
  switch (input.key) {
    case '+':
    case '=':
      return zoomFactors.find((factor) => factor > current) ?? current;
    case '-':
      return zoomFactors.findLast((factor) => factor < current) ?? current;
    case '0':
      return 1;
    default:
      return null;
  }
}

type Zoomed = Readonly<{
  setZoomFactor: (factor: number) => void;
  on(event: 'before-input-event', listener: (event: { preventDefault(): void }, input: Key) => void): unknown;
  on(event: 'did-finish-load', listener: () => void): unknown;
}>;

/** One size for all views of the window: the card must not look like a part of another program. */
export class Zoom {
  readonly #views: readonly Zoomed[];
  readonly #changed: (factor: number) => void;
  #factor: number;

  constructor(factor: number, views: readonly Zoomed[], changed: (factor: number) => void) {
    this.#factor = factor;
    this.#views = views;
    this.#changed = changed;
    for (const view of views) {
      view.on('did-finish-load', () => view.setZoomFactor(this.#factor));
      view.on('before-input-event', (event, input) => {
        const asked = zoomFor(input, this.#factor);
        if (asked === null) return;
        event.preventDefault();
        this.set(asked);
      });
    }
  }

  get factor(): number {
    return this.#factor;
  }

  set(factor: number): void {
    this.#factor = factor;
    for (const view of this.#views) view.setZoomFactor(factor);
    this.#changed(factor);
  }
}

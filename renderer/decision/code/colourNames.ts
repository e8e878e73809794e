import type { Span } from './pieces.ts';

/** Names of the colours of code; `Pieces.module.css` gives each its look. */
export type Colour = 'comment' | 'string' | 'code' | 'keyword' | 'numeral' | 'name' | 'type';
export type ColouredLine = readonly Span<Colour>[];

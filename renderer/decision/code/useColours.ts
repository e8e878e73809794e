import { useEffect, useRef, useState } from 'react';
import type { CardCode } from '../../../contract/card.ts';
import { colourLines } from './codeWorkers.ts';
import type { ColouredLine } from './colourNames.ts';
import { lineText } from './lineText.ts';

const none: ColouredLine = [];

/** Colours of a line by its index, as they come from a worker; none of what has not come. Null lines: none at all. */
export function useColours(lines: CardCode['lines'] | null, language: string): (index: number) => ColouredLine {
  const coloured = useRef<readonly ColouredLine[]>([]);
  const [, setBatches] = useState(0);
  useEffect(() => {
    coloured.current = [];
    if (lines === null) return;
    return colourLines({ lines: lines.map(lineText), language }, (batch) => {
      coloured.current = [...coloured.current, ...batch];
      setBatches((before) => before + 1);
    });
  }, [lines, language]);
  return (index) => coloured.current[index] ?? none;
}

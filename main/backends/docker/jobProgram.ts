import { parse, type Token, tokTypes } from 'acorn';
import type { RuntimeRow } from './runtimeTable.ts';

/** What the runner starts for one job, and where it puts the code. */
export type JobProgram = Readonly<{ command: readonly string[]; codeFile: string }>;

// Longer code is not parsed while a run waits for it; it then pays for the type stripper.
const maxParsedBytes = 64 * 1024;

/**
 * The row's program for this code. Node decides by the ending of the name whether it loads its type stripper, which
 * takes longer than all the rest of its start (measured: 28 ms without, 65 ms with it), so code that is JavaScript as it
 * stands, and means the same read as TypeScript, gets an ending of its own. Only a name depends on it: the bytes are the
 * approved ones in both cases.
 */
export function jobProgram(row: RuntimeRow, code: Uint8Array): JobProgram {
  const { command, codeFile, plainCodeFile } = row;
  if (plainCodeFile === undefined || !isPlainJavaScript(code)) return { command, codeFile };
  return { command: command.map((word) => (word === codeFile ? plainCodeFile : word)), codeFile: plainCodeFile };
}

function isPlainJavaScript(code: Uint8Array): boolean {
  if (code.length > maxParsedBytes) return false;
  const text = new TextDecoder().decode(code);
  const reading = (['module', 'script'] as const).map((sourceType) => read(text, sourceType)).find(Boolean);
  return reading !== undefined && !mayHoldTypeArguments(reading);
}

type Reading = Readonly<{ less: boolean; greater: boolean }>;

/** Which comparisons stand in the code, or undefined if it is not JavaScript of that kind. */
function read(text: string, sourceType: 'module' | 'script'): Reading | undefined {
  let less = false;
  let greater = false;
  const onToken = ({ type, start, end }: Token): void => {
    if (type !== tokTypes.relational && type !== tokTypes.bitShift) return;
    const value = text.slice(start, end);
    less ||= value === '<';
    greater ||= value === '>' || value === '>>' || value === '>>>';
  };
  try {
    // CommonJS code stands in a function.
    const allowReturnOutsideFunction = sourceType === 'script';
    parse(text, { ecmaVersion: 'latest', sourceType, allowReturnOutsideFunction, allowHashBang: true, onToken });
    return { less, greater };
  } catch {
    // Also code nested too deep for a parser that recurses.
    return undefined;
  }
}

/** `check<Strict>(x)` are two comparisons in JavaScript and a call in TypeScript: such code is read as TypeScript. */
const mayHoldTypeArguments = ({ less, greater }: Reading): boolean => less && greater;

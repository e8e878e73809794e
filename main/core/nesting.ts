import { tokenizer, tokTypes } from 'acorn';

// The type stripper (swc in WebAssembly) has a fixed stack. Code nested deeper than it bears does not just fail: it
// leaves the instance unusable for the rest of the process. Measured with amaro 1.2.1: brackets break it at 576 to 1,800
// levels, chains (`a.b.c`, `1+1+1`, `!!!x`) at 1,688 or more tokens. The budget stays at under half of that.
const budget = 1200;
const arrowCost = 4;
const bracketCost = 5;

// A new statement ends every chain before it: these words cannot continue an expression or nest without a bracket.
const freshStart = new Set(['const', 'var', 'return', 'throw', 'export', 'try', 'switch', 'break', 'continue']);

/**
 * True when code is nested shallowly enough to give it to a parser with a fixed stack. An upper bound from tokens alone,
 * linear and without recursion; code that cannot even be split into tokens counts as too deep.
 */
export function isShallow(code: string): boolean {
  // Cost of the open brackets and, for each, of the chain that it stands in.
  const outer: number[] = [];
  let outerSum = 0;
  let chain = 0;
  try {
    const options = { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true } as const;
    for (const token of tokenizer(code, options)) {
      const { type } = token;
      if (opening.has(type)) {
        outer.push(chain + bracketCost);
        outerSum += chain + bracketCost;
        chain = 0;
      } else if (closing.has(type)) {
        const before = outer.pop() ?? bracketCost;
        outerSum -= before;
        chain = before - bracketCost + 1;
      } else if (type === tokTypes.semi || type === tokTypes.comma) {
        chain = 0;
      } else if (type === tokTypes.arrow) {
        chain += arrowCost;
      } else {
        chain = freshStart.has(type.keyword ?? '') ? 1 : chain + 1;
      }
      if (outerSum + chain > budget) return false;
    }
  } catch {
    return false;
  }
  return true;
}

const opening: ReadonlySet<unknown> = new Set([
  tokTypes.parenL,
  tokTypes.bracketL,
  tokTypes.braceL,
  tokTypes.dollarBraceL,
]);
const closing: ReadonlySet<unknown> = new Set([tokTypes.parenR, tokTypes.bracketR, tokTypes.braceR]);

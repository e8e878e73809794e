import { type CallExpression, type Expression, parse } from 'acorn';

/** The global that a floating call is passed to; the prelude defines it. */
export const floatingName = '__floating';

/**
 * `main();` at the top of a module is a promise that nobody looks at. Node and Deno end such a program with exit code
 * 1 when it rejects; QuickJS, as this library builds it, cannot tell us. So the calls that stand as statements of
 * their own at the top level are wrapped to be looked at; lines stay where they are. Null: this is no JavaScript.
 */
export function watchFloating(code: string): string | null {
  let statements: ReturnType<typeof parse>['body'];
  try {
    statements = parse(code, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true }).body;
  } catch {
    return null;
  }
  let watched = '';
  let done = 0;
  let previousEnd = code.startsWith('#!') ? null : 0;
  for (const statement of statements) {
    const call = statement.type === 'ExpressionStatement' ? calledIn(statement.expression) : null;
    if (call !== null && statement.type === 'ExpressionStatement') {
      // As far forward as possible, so that columns of the statement stay where they are if it begins a line.
      const isWhole = statement.expression === call && previousEnd !== null;
      const start = isWhole ? (previousEnd ?? 0) : call.start;
      watched += `${code.slice(done, start)}${isWhole ? ';' : ''}${floatingName}(${code.slice(start, call.end)})`;
      done = call.end;
    }
    previousEnd = statement.end;
  }
  return watched + code.slice(done);
}

function calledIn(expression: Expression): CallExpression | null {
  if (expression.type === 'UnaryExpression' && expression.operator === 'void') return calledIn(expression.argument);
  return expression.type === 'CallExpression' ? expression : null;
}

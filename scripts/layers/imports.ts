import { parseSync } from 'oxc-parser';

export type Import = Readonly<{ specifier: string; line: number }>;

type Node = Readonly<Record<string, unknown>>;

/** The kinds of syntax node that name a module, and the field that holds the name. */
const sourceField: Readonly<Record<string, string>> = {
  ImportDeclaration: 'source',
  ExportAllDeclaration: 'source',
  ExportNamedDeclaration: 'source',
  ImportExpression: 'source',
  TSImportType: 'source',
  TSExternalModuleReference: 'expression',
};

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;

const moduleNode = (node: Node): unknown => {
  const field = sourceField[String(node.type)];
  if (field) return node[field];
  const { callee, arguments: given } = node;
  const isRequire = node.type === 'CallExpression' && isNode(callee) && callee.name === 'require';
  return isRequire && Array.isArray(given) ? given[0] : undefined;
};

const literalsUnder = (value: unknown): readonly Node[] => {
  if (Array.isArray(value)) return value.flatMap(literalsUnder);
  if (!isNode(value)) return [];
  const named = moduleNode(value);
  const here = isNode(named) && typeof named.value === 'string' ? [named] : [];
  return [...here, ...Object.values(value).flatMap(literalsUnder)];
};

/** Every module a text names: import, export from, import(), import types and require. Throws on a syntax error. */
export const importsOf = (fileName: string, text: string): readonly Import[] => {
  const parsed = parseSync(fileName, text);
  const [error] = parsed.errors;
  if (error) throw new SyntaxError(`${fileName}: ${error.message}`);
  return literalsUnder(parsed.program).map((literal) => ({
    specifier: String(literal.value),
    line: text.slice(0, Number(literal.start)).split('\n').length,
  }));
};

import { createRequire } from 'node:module';
import { type Node, parse } from 'acorn';
import type { CodeSightings } from './codeSightings.ts';
import { isShallow } from './nesting.ts';

/**
 * Reads JavaScript or TypeScript through its syntax tree. False when it could not be parsed (then nothing was noted).
 * Types are stripped to spaces, so lines stay the same; the walk keeps its own stack.
 */
export function readSyntax(code: string, sightings: CodeSightings): boolean {
  const tree = parseCode(code);
  if (tree === null) return false;
  const lineAt = lineCounter(code);
  const waiting: Visit[] = [{ node: toBranch(tree), parent: null, grandparent: null, key: '' }];
  for (let visit = waiting.pop(); visit !== undefined; visit = waiting.pop()) {
    noteNode(visit, lineAt(visit.node.start), sightings);
    const children: Visit[] = [];
    for (const [key, value] of Object.entries(visit.node.fields)) {
      for (const item of Array.isArray(value) ? value : [value]) {
        if (isNode(item)) children.push({ node: toBranch(item), parent: visit.node, grandparent: visit.parent, key });
      }
    }
    waiting.push(...children.reverse());
  }
  return true;
}

/** A node whose fields are still unknown: each is looked at before it is used. */
type Branch = Readonly<{ type: string; start: number; fields: Readonly<Record<string, unknown>> }>;
type Visit = Readonly<{ node: Branch; parent: Branch | null; grandparent: Branch | null; key: string }>;

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string' && 'start' in value;

const toBranch = (node: Node): Branch => ({ type: node.type, start: node.start, fields: { ...node } });

const child = (branch: Branch | null, key: string): Branch | null => {
  const value = branch?.fields[key];
  return isNode(value) ? toBranch(value) : null;
};

const children = (branch: Branch | null, key: string): readonly Branch[] => {
  const value = branch?.fields[key];
  return Array.isArray(value) ? value.filter(isNode).map(toBranch) : [];
};

function parseCode(code: string): Node | null {
  const options = {
    ecmaVersion: 'latest',
    sourceType: 'module',
    allowHashBang: true,
    allowReturnOutsideFunction: true,
    allowAwaitOutsideFunction: true,
  } as const;
  try {
    return parse(code, options);
  } catch {
    // Most likely types.
  }
  if (!isShallow(code)) return null;
  try {
    return parse(withoutTypes(code), options);
  } catch {
    return null;
  }
}

/** amaro holds some megabytes of WebAssembly: loaded for the first TypeScript, not at every start. */
function withoutTypes(code: string): string {
  const amaro: typeof import('amaro') = createRequire(import.meta.url)('amaro');
  return amaro.transformSync(code, { mode: 'strip-only' }).code;
}

/** Line (from 1) of an offset; offsets are asked for in any order. */
function lineCounter(code: string): (offset: number) => number {
  const starts = [0];
  for (const match of code.matchAll(/\r\n|[\n\r\u2028\u2029]/g)) starts.push(match.index + match[0].length);
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}

/** The text of an expression that is a plain string: a literal, or a template without holes. */
function staticText(branch: Branch | null): string | null {
  if (branch?.type === 'Literal' && typeof branch.fields.value === 'string') return branch.fields.value;
  if (branch?.type === 'TemplateLiteral') {
    const quasis = children(branch, 'quasis');
    return quasis.length === 1 ? quasiText(quasis[0] ?? null) : null;
  }
  return null;
}

function quasiText(quasi: Branch | null): string {
  const value = quasi?.fields.value;
  if (typeof value !== 'object' || value === null || !('cooked' in value)) return '';
  return typeof value.cooked === 'string' ? value.cooked : '';
}

/** `a.b.c` for a chain of names and constant indexes, or null when any part is computed. */
function dottedName(branch: Branch | null): string | null {
  const parts: string[] = [];
  let current = branch;
  while (current !== null && (current.type === 'MemberExpression' || current.type === 'ChainExpression')) {
    if (current.type === 'ChainExpression') {
      current = child(current, 'expression');
      continue;
    }
    const name = propertyName(current);
    // Longer chains are no name of anything that we look for.
    if (name === null || parts.length >= 8) return null;
    parts.unshift(name);
    current = child(current, 'object');
  }
  if (current?.type === 'MetaProperty') return ['import.meta', ...parts].join('.');
  if (current?.type !== 'Identifier' || typeof current.fields.name !== 'string') return null;
  const whole = [current.fields.name, ...parts];
  while (whole.length > 1 && globalNames.has(whole[0] ?? '')) whole.shift();
  return whole.join('.');
}

const globalNames = new Set(['globalThis', 'window', 'self', 'global']);

function propertyName(member: Branch): string | null {
  const property = child(member, 'property');
  if (member.fields.computed === true) return staticText(property);
  return property?.type === 'Identifier' && typeof property.fields.name === 'string' ? property.fields.name : null;
}

const denoProcess = /^Deno\.(?:Command|run|spawn|spawnChild|dlopen|kill)$/;
const denoFiles =
  /^Deno\.(?:(?:read|write)(?:TextFile|File|Dir|Link)|open|create|remove|rename|mkdir|copyFile|symlink|link|stat|lstat|chmod|chown|truncate|makeTemp\w*|watchFs)(?:Sync)?$/;
const workerNames = /^(?:Worker|SharedWorker|Bun\.spawn|Bun\.spawnSync)$/;
const codeNames = /^(?:WebAssembly\.\w+|process\.(?:binding|dlopen))$/;

function noteNode(visit: Visit, line: number, sightings: CodeSightings): void {
  const { node, parent } = visit;
  switch (node.type) {
    case 'Literal':
      if (typeof node.fields.value === 'string') noteText(visit, node.fields.value, line, sightings);
      return;
    case 'TemplateElement': {
      const followed = parent?.type === 'TemplateLiteral' && node.fields.tail !== true;
      const text = quasiText(node);
      sightings.addText(line, text, followed);
      sightings.words.add(text);
      return;
    }
    case 'Identifier':
      noteIdentifier(visit, line, sightings);
      return;
    case 'MemberExpression':
      noteMember(visit, line, sightings);
      return;
    case 'CallExpression':
    case 'NewExpression':
      noteCall(node, line, sightings);
      return;
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration': {
      const specifier = staticText(child(node, 'source'));
      if (specifier !== null) sightings.addImport(line, specifier, 'static');
      return;
    }
    case 'ImportExpression': {
      const specifier = staticText(child(node, 'source'));
      if (specifier === null) sightings.addImport(line, 'computed when it runs', 'computed');
      else sightings.addImport(line, specifier, 'dynamic');
      return;
    }
    case 'WithStatement':
      sightings.addDynamicCode(line, 'with');
      return;
  }
}

function noteText(visit: Visit, text: string, line: number, sightings: CodeSightings): void {
  // In `'https://' + name` the host goes on; at the right end of a sum it does not.
  const inSum = visit.parent?.type === 'BinaryExpression' && visit.parent.fields.operator === '+';
  const continues = inSum && (visit.key === 'left' || visit.grandparent?.fields.operator === '+');
  sightings.addText(line, text, continues);
  if (text.length <= 128) sightings.words.add(text);
}

function noteIdentifier(visit: Visit, line: number, sightings: CodeSightings): void {
  const { node, parent, key } = visit;
  const name = node.fields.name;
  if (typeof name !== 'string') return;
  sightings.words.add(name);
  const isPropertyName = parent?.fields.computed !== true && (key === 'property' || key === 'key');
  if (isPropertyName) return;
  if (name === 'eval') sightings.addDynamicCode(line, 'eval');
  if (name === 'Function' && (key === 'callee' || key === 'init' || key === 'arguments' || key === 'right')) {
    sightings.addDynamicCode(line, 'Function');
  }
  // Handed on as a whole, the environment can be read without its name showing.
  const handedOn = key === 'init' || key === 'arguments' || key === 'right' || key === 'value' || key === 'argument';
  if (handedOn && (name === 'process' || name === 'Deno')) sightings.envAccessAll = true;
  if (handedOn && globalNames.has(name)) sightings.addDynamicCode(line, `passes ${name} on`);
}

function noteMember(visit: Visit, line: number, sightings: CodeSightings): void {
  const { node, parent, grandparent, key } = visit;
  const object = child(node, 'object');
  if (object?.type === 'Identifier' && propertyName(node) === null) {
    const name = String(object.fields.name);
    if (globalNames.has(name)) sightings.addDynamicCode(line, `${name}[…] with a computed name`);
    if (name === 'process' || name === 'Deno') sightings.envAccessAll = true;
  }
  const name = dottedName(node);
  if (name === null) return;
  if (name === 'process.env' || name === 'import.meta.env' || name === 'Bun.env') {
    noteEnvObject(parent, key, sightings);
  } else if (name === 'Deno.env') {
    const method = parent?.type === 'MemberExpression' && key === 'object' ? propertyName(parent) : null;
    const called = grandparent?.type === 'CallExpression';
    const wanted = called ? staticText(children(grandparent, 'arguments')[0] ?? null) : null;
    if ((method === 'get' || method === 'has') && wanted !== null) sightings.envNames.add(wanted);
    else if (method !== 'set' && method !== 'delete') sightings.envAccessAll = true;
  } else if (denoProcess.test(name)) sightings.addSubprocess(line, name);
  else if (denoFiles.test(name)) sightings.addFileAccess(line, name);
  else if (codeNames.test(name)) sightings.addDynamicCode(line, name);
}

function noteEnvObject(parent: Branch | null, key: string, sightings: CodeSightings): void {
  if (parent?.type === 'MemberExpression' && key === 'object') {
    const name = propertyName(parent);
    if (name === null) sightings.envAccessAll = true;
    else sightings.envNames.add(name);
    return;
  }
  const pattern = parent?.type === 'VariableDeclarator' && key === 'init' ? child(parent, 'id') : null;
  if (pattern?.type !== 'ObjectPattern') {
    sightings.envAccessAll = true;
    return;
  }
  for (const property of children(pattern, 'properties')) {
    const named = child(property, 'key');
    const name =
      property.fields.computed === true || named?.type !== 'Identifier' ? staticText(named) : named.fields.name;
    if (property.type === 'Property' && typeof name === 'string') sightings.envNames.add(name);
    else sightings.envAccessAll = true;
  }
}

function noteCall(node: Branch, line: number, sightings: CodeSightings): void {
  const callee = child(node, 'callee');
  const first = children(node, 'arguments')[0] ?? null;
  const name = dottedName(callee);
  if (callee?.type === 'MemberExpression' && propertyName(callee) === 'constructor') {
    sightings.addDynamicCode(line, '.constructor(…)');
  }
  if (name === null) return;
  if (name === 'require' || name.endsWith('.require') || name === 'process.getBuiltinModule') {
    const specifier = staticText(first);
    if (specifier === null) sightings.addImport(line, 'computed when it runs', 'computed');
    else sightings.addImport(line, specifier, 'dynamic');
  }
  if ((name === 'setTimeout' || name === 'setInterval') && staticText(first) !== null) {
    sightings.addDynamicCode(line, `${name} with text`);
  }
  if (workerNames.test(name)) sightings.addSubprocess(line, name);
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CodeReport, codeReportSchema } from '../../contract/codeReport.ts';
import type { Runtime } from '../../contract/runtime.ts';
import { analyseCode } from './codeReport.ts';
import { parseHostRule } from './host.ts';

const report = (
  code: string,
  declared: Readonly<{ secrets?: readonly string[]; hosts?: readonly string[]; runtime?: Runtime }> = {},
): CodeReport =>
  codeReportSchema.parse(
    analyseCode(code, declared.runtime ?? 'deno', {
      secrets: declared.secrets ?? [],
      hosts: (declared.hosts ?? []).map((host) => parseHostRule(host)),
    }),
  );
// A hole in a template of the code under test.
const hole = '$'.concat('{h}');
const whats = (places: CodeReport['dynamicCode']): readonly string[] => places.map((place) => place.what);
const warnings = (code: string): readonly string[] =>
  report(code).findings.flatMap((finding) => (finding.severity === 'warn' ? [finding.text] : []));

describe('a code report', () => {
  it('says nothing about code that does what it declared', () => {
    const code = "const r = await fetch('https://api.example.com/v1', { headers: { a: Deno.env.get('KEY') } });";
    const found = report(code, { secrets: ['KEY'], hosts: ['api.example.com'] });
    expect(found).toMatchObject({ parsed: true, lines: 1, secretsUsed: ['KEY'], secretsUnused: [], findings: [] });
  });

  it('reads TypeScript and keeps its lines', () => {
    const found = report('interface A {\n  b: string;\n}\nconst a: A = { b: "x" };\neval(a.b as string);');
    expect(found.parsed).toBe(true);
    expect(found.dynamicCode).toEqual([{ line: 5, what: 'eval' }]);
  });

  it.each([
    ["fetch('https://evil.example.com/x')", ['evil.example.com']],
    ['fetch("http://evil.example.com")', ['evil.example.com:80']],
    [`fetch(\`https://evil.example.com:8443/${hole}\`)`, ['evil.example.com:8443']],
    ['fetch("https://user:pw@EVIL.example.com./x")', ['evil.example.com']],
    ['new WebSocket("wss://evil.example.com/socket")', ['evil.example.com']],
    ['connect({ hostname: "db.evil.example.com" })', ['db.evil.example.com']],
    ['fetch("https://1.2.3.4/")', ['1.2.3.4']],
    ['fetch("https://2130706433/")', ['2130706433']],
    ['fetch("https:\\\\\\\\evil.example.com")', ['evil.example.com']],
    ['fetch("https://\u0430pi.example.com")', ['xn--pi-6kc.example.com']],
    ['import "./index.js"; const a = "a.b";', []],
    ['// https://comment.example.com', []],
  ])('sees the hosts of %s', (code, hosts) => {
    expect(report(code)).toMatchObject({ hostsSeen: hosts, hostsUndeclared: hosts });
  });

  it('compares hosts with what was declared, ports included', () => {
    const found = report(
      'fetch("https://a.example.com"); fetch("http://a.example.com"); fetch("https://b.example.com")',
      {
        hosts: ['a.example.com', '*.example.com:8443'],
      },
    );
    expect(found.hostsUndeclared).toEqual(['a.example.com:80', 'b.example.com']);
  });

  it.each([
    'fetch("https://" + h)',
    `fetch(\`https://${hole}/x\`)`,
    'fetch("https://api." + h + "/x")',
    `fetch(\`https://api.${hole}\`)`,
  ])('says that a host is put together in %s', (code) => {
    expect(report(code).findings).toContainEqual({
      severity: 'info',
      text: 'Puts host names together when it runs (line 1).',
    });
    expect(report(code).hostsSeen).toEqual([]);
  });

  it.each([
    ["process.env.KEY; process.env['KEY2']", ['KEY', 'KEY2'], false],
    ['const { KEY, KEY2: b } = process.env;', ['KEY', 'KEY2'], false],
    [
      'Deno.env.get("KEY"); globalThis.process.env.KEY2; globalThis.Deno.env.has(`KEY3`)',
      ['KEY', 'KEY2', 'KEY3'],
      false,
    ],
    ['process?.env?.KEY', ['KEY'], false],
    ['const { KEY, ...rest } = process.env;', ['KEY'], true],
    ['Object.entries(process.env)', [], true],
    ['Deno.env.toObject()', [], true],
    ['Deno.env.get(name)', [], true],
    ['process.env[name]', [], true],
    ['process["env"][name]', [], true],
    ['const p = process; p.env.KEY', [], true],
    ['const d = Deno;', [], true],
    ['process[name]', [], true],
    ['Deno.env.set("A", "b")', [], false],
  ])('sees what %s reads of the environment', (code, names, all) => {
    const found = report(code);
    expect(found.secretsUndeclared).toEqual(names);
    expect(found.envAccessAll).toBe(all);
  });

  it('tells used secrets from unused ones', () => {
    const found = report('send(process.env.USED); const name = "INDIRECT";', {
      secrets: ['USED', 'INDIRECT', 'UNUSED'],
    });
    expect(found.secretsUsed).toEqual(['USED', 'INDIRECT']);
    expect(found.secretsUnused).toEqual(['UNUSED']);
  });

  it.each([
    ['eval("1")', 'eval'],
    ['(0, eval)("1")', 'eval'],
    ['const e = eval;', 'eval'],
    ['new Function("a")', 'Function'],
    ['Function("a")()', 'Function'],
    ['[].map.constructor("a")()', '.constructor(…)'],
    ['[].map["constructor"]("a")()', '.constructor(…)'],
    ['globalThis["ev" + "al"]("1")', 'globalThis[…] with a computed name'],
    ['const g = globalThis;', 'passes globalThis on'],
    ['setTimeout("alert()", 1)', 'setTimeout with text'],
    ['new WebAssembly.Module(x)', 'WebAssembly.Module'],
    ['import "node:vm"', 'imports node:vm'],
  ])('calls %s dynamic code', (code, what) => {
    expect(whats(report(code).dynamicCode)).toContain(what);
    expect(warnings(code)).toContain('Can run text as code (line 1).');
  });

  it('does not take a property for a global', () => {
    const found = report('const a = { eval: 1, Function: 2 }; a.eval; a.Function; a.process; obj.env;');
    expect(found.dynamicCode).toEqual([]);
    expect(found.envAccessAll).toBe(false);
  });

  it.each([
    'new Deno.Command("ls")',
    'import { exec } from "child_process"',
    'require("node:child_process")',
    'await import("worker_threads")',
    'new Worker("x.js")',
    'process.getBuiltinModule("child_process")',
  ])('sees that %s starts a program or thread', (code) => expect(report(code).subprocesses).toHaveLength(1));

  it.each(['Deno.readTextFileSync("/etc/passwd")', 'import fs from "node:fs/promises"', 'Deno.writeFile(a, b)'])(
    'sees that %s touches files',
    (code) => expect(report(code).fileAccess).toHaveLength(1),
  );

  it('lists imports by kind and warns of code from elsewhere', () => {
    const code =
      'import a from "npm:left-pad";\nexport * from "https://x.example.com/a.ts";\nawait import("./b.ts");\nawait import(c);\nrequire(d);';
    expect(report(code).imports.map(({ line, kind }) => [line, kind])).toEqual([
      [1, 'static'],
      [2, 'static'],
      [3, 'dynamic'],
      [4, 'computed'],
      [5, 'computed'],
    ]);
    expect(warnings(code)).toContain('Imports code from elsewhere (2 imports); it will be refused.');
    expect(warnings(code)).toContain('Chooses what to import when it runs (lines 4, 5).');
  });

  it('falls back to a search in the text, and says so', () => {
    const code = `enum A { B }\nfetch("https://evil.example.com/x");\neval(process.env.KEY);\nconst x = \`https://${hole}/\`;`;
    const found = report(code);
    expect(found).toMatchObject({
      parsed: false,
      hostsUndeclared: ['evil.example.com'],
      secretsUndeclared: ['KEY'],
      dynamicCode: [{ line: 3, what: 'eval' }],
    });
    expect(warnings(code)).toContain('Could not be parsed; these facts come from a search in its text.');
  });

  it('searches Python', () => {
    const code = [
      'import os, subprocess as sp',
      'from requests import get',
      'key = os.environ["KEY"] + os.getenv("KEY2") + os.environ.get(\'KEY3\')',
      'get(f"https://{host}/x")',
      'get("https://api.example.com/v1", headers={"x": key})',
      'exec(key)',
      'open("/etc/passwd")',
    ].join('\n');
    const found = report(code, { runtime: 'python', secrets: ['KEY'], hosts: ['api.example.com'] });
    expect(found).toMatchObject({
      parsed: false,
      hostsSeen: ['api.example.com'],
      hostsUndeclared: [],
      secretsUsed: ['KEY'],
      secretsUndeclared: ['KEY2', 'KEY3'],
      envAccessAll: false,
      subprocesses: [{ line: 1, what: 'imports subprocess' }],
      dynamicCode: [{ line: 6, what: 'exec' }],
      fileAccess: [{ line: 7, what: 'open' }],
    });
    expect(found.imports.map((entry) => entry.specifier)).toEqual(['os', 'subprocess', 'requests']);
    expect(found.findings.some((finding) => finding.text.includes('Could not be parsed'))).toBe(false);
    expect(report('print(os.environ)', { runtime: 'python' }).envAccessAll).toBe(true);
  });

  it('never quotes the code in a finding', () => {
    const word = 'zqxj';
    const code = `import "${word}"; fetch("https://${word}.example.com"); process.env.${word}; eval("${word}");`;
    for (const finding of report(code).findings) expect(finding.text).not.toContain(word);
  });

  it('never throws and is a valid report, whatever the text', () => {
    const words = fc.constantFrom(
      'eval(',
      'import ',
      '"',
      '`${',
      '}',
      '\\',
      'https://',
      'process.env',
      '\n',
      '\u202e',
      ': string',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(words, fc.string({ unit: 'binary', maxLength: 5 }))), (parts) => {
        report(parts.join(''));
        report(parts.join(''), { runtime: 'python' });
      }),
    );
  });

  it('survives code that is nested as deeply as fits, and still reads the next code', () => {
    const nested = [
      '('.repeat(131_072),
      `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
      `let a: ${'Array<'.repeat(40_000)}1${'>'.repeat(40_000)};`,
      `let a: any = ${'!'.repeat(200_000)}1;`,
      `${'`${'.repeat(80_000)}`,
      `a${'.b'.repeat(100_000)}`,
      `const a: string = ${'"x"+'.repeat(50_000)}1;`,
      `${'{'.repeat(130_000)}`,
    ];
    for (const code of nested) report(code);
    expect(report('const a: string = "https://q.example.com";')).toMatchObject({
      parsed: true,
      hostsSeen: ['q.example.com'],
    });
  });

  it('takes a bounded time over the largest hostile code', () => {
    const size = 262_144;
    const fill = (piece: string): string => piece.repeat(Math.floor(size / piece.length));
    const pieces = [
      ' ',
      '\n',
      '\t\n',
      '"',
      "'a",
      '\\',
      'https://',
      'https://a.b.c ',
      'import ',
      'from "',
      'process.env ',
      'os.environ[',
      'a.b',
      'x,',
      '/*',
      '<',
      '\u0301',
      "'{",
    ];
    for (const piece of pieces) {
      for (const runtime of ['deno', 'python'] as const) {
        const started = performance.now();
        report(fill(piece), { runtime });
        expect(performance.now() - started, JSON.stringify(piece)).toBeLessThan(5000);
      }
    }
  }, 60_000);

  it('keeps its lists short', () => {
    const found = report('eval(1); import("x".x); fetch("https://a.example.com");\n'.repeat(3000));
    expect(found.dynamicCode.length).toBeLessThanOrEqual(200);
    expect(JSON.stringify(report(`import "${'x'.repeat(200_000)}"`)).length).toBeLessThan(2000);
  });
});

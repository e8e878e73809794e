import { describe, expect, it } from 'vitest';
import { jobProgram } from './jobProgram.ts';
import { runtimeTable } from './runtimeTable.ts';

const rowOf = (runtime: string) => {
  const row = runtimeTable.find((candidate) => candidate.runtime === runtime);
  if (row === undefined) throw new Error(`no row for ${runtime}`);
  return row;
};
const fileFor = (code: string, runtime = 'node') => jobProgram(rowOf(runtime), Buffer.from(code));

describe('the program of a job', () => {
  it('lets Node start without its type stripper when the code is JavaScript', () => {
    const plain = { command: ['/usr/local/bin/node', '/tmp/job/main.js'], codeFile: '/tmp/job/main.js' };
    expect(fileFor("import fs from 'node:fs';\nconsole.log(await fs.promises.readdir('/tmp'));")).toEqual(plain);
    expect(fileFor("const fs = require('fs');\nif (!fs) return;\nwith ({}) {}")).toEqual(plain);
  });

  it('keeps the name for TypeScript when there are types', () => {
    const typed = { command: ['/usr/local/bin/node', '/tmp/job/main.ts'], codeFile: '/tmp/job/main.ts' };
    expect(fileFor('const count: number = 3;')).toEqual(typed);
    expect(fileFor("import type { Stats } from 'node:fs';")).toEqual(typed);
  });

  it('reads as TypeScript what means something else there', () => {
    expect(fileFor("check<Strict>('x');").codeFile).toBe('/tmp/job/main.ts');
    expect(fileFor('f(a<b, c>(d)); f<g<x>>(y);').codeFile).toBe('/tmp/job/main.ts');
    expect(fileFor('for (let i = 0; i < 3; i += 1) console.log(i << 1);').codeFile).toBe('/tmp/job/main.js');
  });

  it('does not parse code that is long or deeply nested', () => {
    expect(fileFor(`${'['.repeat(20_000)}${']'.repeat(20_000)}`).codeFile).toBe('/tmp/job/main.ts');
    expect(fileFor(`/*${' '.repeat(70_000)}*/`).codeFile).toBe('/tmp/job/main.ts');
  });

  it('is the one of the row for runtimes that do not care', () => {
    const deno = rowOf('deno');
    expect(fileFor('1', 'deno')).toEqual({ command: deno.command, codeFile: deno.codeFile });
  });

  it('names its code file in the command of every row', () => {
    for (const { command, codeFile } of runtimeTable) expect(command).toContain(codeFile);
  });
});

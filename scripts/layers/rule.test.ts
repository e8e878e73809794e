import { describe, expect, it } from 'vitest';
import { forbiddenImports } from './rule.ts';

const check = (file: string, text: string): readonly string[] => forbiddenImports([{ file, text }]);

describe('the layer rule', () => {
  it('names file, line and reason of a forbidden import', () => {
    expect(
      check('main/bridge/routes.ts', `import fs from 'node:fs';\nimport { open } from '../store/open.ts';\n`),
    ).toEqual(['main/bridge/routes.ts:2: imports ../store/open.ts: main/bridge may not import main/store']);
  });

  it.each([
    ['a type import', `import type { A } from '../store/a.ts';`],
    ['a re-export', `export * from '../store/a.ts';`],
    ['a named re-export', `export { a } from '../store/a.ts';`],
    ['a dynamic import', `const a = await import('../store/a.ts');`],
    ['an import type', `type A = import('../store/a.ts').A;`],
    ['a require call', `const a = require('../store/a.ts');`],
    ['a side-effect import', `import '../store/a.ts';`],
  ])('sees %s', (_, text) => {
    expect(check('main/bridge/routes.ts', text)).toHaveLength(1);
  });

  it('lets a capability import the floor and itself', () => {
    const text = ['../../contract/errors.ts', '../core/host.ts', '../net/dial.ts', './guard.ts', 'fastify']
      .map((specifier) => `import '${specifier}';`)
      .join('\n');
    expect(check('main/bridge/routes.ts', text)).toEqual([]);
  });

  it('keeps contract and core free of everything above them', () => {
    expect(check('contract/errors.ts', `import '../main/core/host.ts';`)).toHaveLength(1);
    expect(check('main/core/host.ts', `import '../net/dial.ts';`)).toHaveLength(1);
  });

  it('opens a port of its consumer to an adapter, and nothing else of that room', () => {
    expect(check('main/backends/embedded/backend.ts', `import '../../runs/backend.ts';`)).toEqual([]);
    expect(check('main/backends/embedded/backend.ts', `import '../../runs/scheduler.ts';`)).toHaveLength(1);
  });

  it('lets only contract into renderer, preload and cli', () => {
    for (const room of ['renderer', 'preload', 'cli']) {
      expect(check(`${room}/a.ts`, `import '../contract/errors.ts';`)).toEqual([]);
      expect(check(`${room}/a.ts`, `import '../main/core/host.ts';`)).toHaveLength(1);
    }
  });

  it('lets nobody but the start-up files know everybody', () => {
    expect(check('main/broker.ts', `import './runs/scheduler.ts';\nimport './store/open.ts';`)).toEqual([]);
    expect(check('main/runs/scheduler.ts', `import '../broker.ts';`)).toHaveLength(1);
  });

  it('keeps electron in its rooms', () => {
    const text = `import { app } from 'electron';`;
    for (const file of [
      'main/index.ts',
      'main/desktop/tray.ts',
      'main/vault/electronKeyring.ts',
      'preload/window.ts',
    ]) {
      expect(check(file, text)).toEqual([]);
    }
    for (const file of ['main/broker.ts', 'main/vault/slots.ts', 'main/bridge/guard.ts', 'cli/index.ts']) {
      expect(check(file, text)).toHaveLength(1);
    }
    expect(check('main/bridge/guard.ts', `import 'electron/main';`)).toHaveLength(1);
  });

  it('refuses a source folder that nobody put into the table', () => {
    expect(check('main/misc/a.ts', `import 'zod';`)).toHaveLength(1);
  });
});

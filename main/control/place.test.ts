import { describe, expect, it } from 'vitest';
import { controlPlace } from './place.ts';

const facts = { dataDir: '/home/someone/.local/share/oauth3', platform: 'linux', runtimeDir: '/run/user/1000' };

describe('the place of the control socket', () => {
  it('is the data folder', () => {
    expect(controlPlace(facts)).toEqual({ path: `${facts.dataDir}/control.sock`, folder: null });
  });

  it('is the runtime folder when the path would not fit into a socket address', () => {
    const fits = `/${'d'.repeat(107 - '/'.length - '/control.sock'.length)}`;
    expect(controlPlace({ ...facts, dataDir: fits }).folder).toBeNull();
    const { path, folder } = controlPlace({ ...facts, dataDir: `${fits}d` });
    expect(folder).toMatch(/^\/run\/user\/1000\/oauth3-[0-9a-f]{16}$/);
    expect(path).toBe(`${folder}/control.sock`);
  });

  it('differs for every data folder', () => {
    const long = `/${'d'.repeat(200)}`;
    const path = (dataDir: string): string => controlPlace({ ...facts, dataDir }).path;
    expect(path(`${long}1`)).not.toBe(path(`${long}2`));
  });

  it('is a named pipe on Windows', () => {
    expect(controlPlace({ ...facts, platform: 'win32' }).path).toMatch(/^\\\\\.\\pipe\\oauth3-[0-9a-f]{16}$/);
  });
});

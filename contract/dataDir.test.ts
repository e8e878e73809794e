import { describe, expect, it } from 'vitest';
import { dataDir } from './dataDir.ts';

const home = '/home/someone';

describe('the data folder', () => {
  it('is where OAUTH3_DATA_DIR says, on every platform', () => {
    for (const platform of ['linux', 'darwin', 'win32']) {
      expect(dataDir({ env: { OAUTH3_DATA_DIR: ' /data/oauth3 ' }, platform, homeDir: home })).toBe('/data/oauth3');
    }
  });

  it('is the XDG data folder on Linux, unless that is relative', () => {
    const on = (env: Record<string, string>) => dataDir({ env, platform: 'linux', homeDir: home });
    expect(on({})).toBe('/home/someone/.local/share/oauth3');
    expect(on({ OAUTH3_DATA_DIR: ' ' })).toBe('/home/someone/.local/share/oauth3');
    expect(on({ XDG_DATA_HOME: '/elsewhere' })).toBe('/elsewhere/oauth3');
    expect(on({ XDG_DATA_HOME: 'relative' })).toBe('/home/someone/.local/share/oauth3');
  });

  it('is Application Support on macOS and APPDATA on Windows', () => {
    expect(dataDir({ env: {}, platform: 'darwin', homeDir: '/Users/x' })).toBe(
      '/Users/x/Library/Application Support/oauth3',
    );
    expect(dataDir({ env: { APPDATA: 'C:\\Roaming' }, platform: 'win32', homeDir: 'C:\\x' })).toBe(
      'C:\\Roaming\\oauth3',
    );
    expect(dataDir({ env: {}, platform: 'win32', homeDir: 'C:\\x' })).toBe('C:\\x\\AppData\\Roaming\\oauth3');
  });
});

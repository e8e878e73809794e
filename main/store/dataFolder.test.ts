import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../core/log.ts';
import { DataFolderInUseError, DataFolderUnsafeError, DataFolderUnusableError } from './errors.ts';
import { openStore, type Store } from './store.ts';

let parent: string;
let dataDir: string;
const open: Store[] = [];
const start = (folder = dataDir) => {
  const store = openStore({ dataDir: folder, log: silentLog });
  open.push(store);
  return store;
};
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'oauth3-folder-'));
  dataDir = join(parent, 'a', 'data');
});
afterEach(() => {
  for (const store of open.splice(0)) {
    store.close();
  }
  rmSync(parent, { recursive: true, force: true });
});

const modeOf = (path: string) => (lstatSync(path).mode & 0o777).toString(8);

describe('P257 the data folder', () => {
  it('and every file in it belong to this account alone', () => {
    start().setState('a', 'b');
    expect(modeOf(dataDir)).toBe('700');
    for (const name of ['proxy.db', 'proxy.db-wal', 'proxy.db-shm', 'broker.lock', 'broker.pid']) {
      expect([name, modeOf(join(dataDir, name))]).toEqual([name, '600']);
    }
  });

  it('is closed to others when it was open, and so are its files', () => {
    start().close();
    open.length = 0;
    chmodSync(dataDir, 0o755);
    chmodSync(join(dataDir, 'proxy.db'), 0o644);
    start();
    expect(modeOf(dataDir)).toBe('700');
    expect(modeOf(join(dataDir, 'proxy.db'))).toBe('600');
  });

  it('is refused when it is a link, and what the link points at is left alone', () => {
    const target = join(parent, 'target');
    mkdirSync(target, { mode: 0o755 });
    symlinkSync(target, join(parent, 'link'));
    expect(() => start(join(parent, 'link'))).toThrow(DataFolderUnsafeError);
    expect(existsSync(join(target, 'proxy.db'))).toBe(false);
    expect(modeOf(target)).toBe('755');
  });

  it.each(['proxy.db', 'proxy.db-wal', 'proxy.db-shm', 'proxy.db-journal', 'broker.lock', 'broker.pid'])(
    'is refused when %s in it is a link, to a file or to nowhere',
    (name) => {
      mkdirSync(dataDir, { recursive: true, mode: 0o700 });
      const target = join(parent, 'elsewhere');
      symlinkSync(target, join(dataDir, name));
      expect(() => start()).toThrow(DataFolderUnsafeError);
      expect(existsSync(target)).toBe(false);
      writeFileSync(target, 'of somebody else');
      expect(() => start()).toThrow(DataFolderUnsafeError);
      expect(readFileSync(target, 'utf8')).toBe('of somebody else');
      rmSync(join(dataDir, name));
      expect(start().health()).toBe('ok');
    },
  );

  it('is refused with words for the owner when it cannot be a folder', () => {
    writeFileSync(join(parent, 'file'), '');
    expect(() => start(join(parent, 'file'))).toThrow(DataFolderUnsafeError);
    expect(() => start(join(parent, 'file', 'data'))).toThrow(DataFolderUnusableError);
    expect(() => start(join(parent, 'file', 'data'))).toThrow(/Check its rights.*OAUTH3_DATA_DIR/);
  });
});

describe('P260 a second start', () => {
  it('on the same folder is refused and told who is there; the first one goes on', () => {
    const first = start();
    expect(() => start()).toThrow(DataFolderInUseError);
    expect(() => start()).toThrow(`process id ${process.pid}`);
    first.setState('still', 'here');
    expect(first.state('still')).toBe('here');
  });

  it('works once the first one has closed', () => {
    start().close();
    open.length = 0;
    expect(start().health()).toBe('ok');
  });

  it('works after a holder that died, whatever its process id names now', () => {
    start().close();
    open.length = 0;
    writeFileSync(join(dataDir, 'broker.pid'), `${JSON.stringify({ pid: process.pid, started_at: 'long ago' })}\n`);
    expect(start().health()).toBe('ok');
    expect(JSON.parse(readFileSync(join(dataDir, 'broker.pid'), 'utf8'))).toMatchObject({ pid: process.pid });
  });

  it('is refused without a name when nobody left one', () => {
    start();
    rmSync(join(dataDir, 'broker.pid'));
    expect(() => start()).toThrow(/Another OAuth3 already uses/);
  });
});

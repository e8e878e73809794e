import { describe, expect, it } from 'vitest';
import type { LayerEntry } from './layerTar.ts';
import { unwantedPrograms } from './unwanted.ts';

const file = (path: string, isElf = false): LayerEntry => ({ path, kind: 'file', program: false, isElf });
const link = (path: string): LayerEntry => ({ ...file(path), kind: 'link' });
const wanted = new Set(['usr/local/bin/node', 'usr/bin/python3', 'usr/bin/python3.11']);

describe('what an image may hold', () => {
  it('is its own programs, libraries and data', () => {
    const entries = [
      file('usr/local/bin/node', true),
      link('usr/bin/python3'),
      file('usr/bin/python3.11', true),
      file('lib/x86_64-linux-gnu/libc.so.6', true),
      file('usr/lib/python3.11/lib-dynload/_ssl.cpython-311-x86_64-linux-gnu.so', true),
      file('usr/lib/python3.11/pty.py'),
      file('etc/services'),
      { ...file('usr/bin'), kind: 'folder' as const },
    ];
    expect(unwantedPrograms(entries, wanted)).toEqual([]);
  });

  it.each(['bin/sh', 'usr/bin/bash', 'opt/dash', 'app/busybox', 'usr/lib/perl5.36', 'srv/env', 'usr/bin/anything'])(
    'is not %s',
    (path) => {
      expect(unwantedPrograms([file(path)], wanted)).toEqual([path]);
      expect(unwantedPrograms([link(path)], wanted)).toEqual([path]);
    },
  );

  it('is no program under a name that says nothing', () => {
    expect(unwantedPrograms([file('usr/share/data/readme', true)], wanted)).toEqual(['usr/share/data/readme']);
  });
});

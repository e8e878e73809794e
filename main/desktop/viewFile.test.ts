import { describe, expect, it } from 'vitest';
import { viewFile } from './viewFile.ts';

describe('the files of a view', () => {
  it('are its page and the built assets', () => {
    expect(viewFile('window', 'window', '/index.html')).toEqual(['window', 'index.html']);
    expect(viewFile('decision', 'decision', '/index.html')).toEqual(['decision', 'index.html']);
    expect(viewFile('window', 'window', '/assets/window-B4x_9-Zz.js')).toEqual(['assets', 'window-B4x_9-Zz.js']);
  });

  it('are never those of another host', () => {
    expect(viewFile('window', 'decision', '/index.html')).toBeNull();
    expect(viewFile('decision', 'window', '/assets/a.js')).toBeNull();
    expect(viewFile('window', '', '/index.html')).toBeNull();
  });

  it.each([
    '/',
    '/decision/index.html',
    '/assets/',
    '/assets/..',
    '/assets/../window/index.html',
    '/assets/..%2f..%2fmain%2findex.js',
    '/assets/..\\..\\main\\index.js',
    '/assets/..%5c..%5cmain%5cindex.js',
    '/assets/sub/a.js',
    '/assets//etc/passwd',
    '/assets/C:a.js',
    '/assets/a.js::$DATA',
    '/assets/a.js%00.css',
    '/assets/%',
    '/../preload/window.js',
    '//server/share/a.js',
  ])('never %s', (pathname) => {
    expect(viewFile('window', 'window', pathname)).toBeNull();
  });
});

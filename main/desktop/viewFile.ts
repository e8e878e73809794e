/** The views that are built into `out/renderer`; each is the host of an origin of its own. */
export type ViewName = 'window' | 'decision';

// One folder deep and plain names only: nothing in it can mean another folder, on any system.
const asset = /^\/assets\/([A-Za-z0-9_-][A-Za-z0-9_.-]*)$/;

/**
 * Which built file an address of a view means, as parts below the renderer's folder; null for whatever is not ours.
 * `pathname` as the URL has it: nothing is decoded, so an encoded separator is just a name that does not exist.
 */
export function viewFile(view: ViewName, host: string, pathname: string): readonly [string, string] | null {
  if (host !== view) return null;
  if (pathname === '/index.html') return [view, 'index.html'];
  const name = asset.exec(pathname)?.[1];
  return name === undefined ? null : ['assets', name];
}

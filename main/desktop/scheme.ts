import { readFile } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';
import { protocol, type Session } from 'electron';

/** Our own scheme: each view has its own host, so its own origin; nothing but files of the built renderer is served. */
const SCHEME = 'oauth3';
export type ViewName = 'window' | 'decision';

export function viewUrl(view: ViewName): string {
  return `${SCHEME}://${view}/index.html`;
}

/** Must run before `app` is ready. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: false, corsEnabled: false } },
  ]);
}

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  // React DOM makes no policy; none may be made.
  "trusted-types 'none'",
].join('; ');

/**
 * Serves one view on one session. `root` is the folder of the built renderer; its shared chunks live in `assets/`.
 * A path that leaves the folder, another host or another method is answered 404.
 */
export function serveView(session: Session, view: ViewName, root: string): void {
  session.protocol.handle(SCHEME, async (request) => {
    const url = new URL(request.url);
    const file = fileOf(url, view, root);
    if (request.method !== 'GET' || file === null) return notFound();
    try {
      const body = await readFile(file);
      return new Response(new Uint8Array(body), {
        headers: {
          'Content-Type': contentTypes[extname(file)] ?? 'application/octet-stream',
          'Content-Security-Policy': policy,
          'X-Content-Type-Options': 'nosniff',
          'Cache-Control': 'no-store',
        },
      });
    } catch {
      return notFound();
    }
  });
}

function fileOf(url: URL, view: ViewName, root: string): string | null {
  if (url.host !== view) return null;
  const path = decodeURIComponent(url.pathname);
  if (path.includes('\0')) return null;
  const file = path === '/index.html' ? join(root, view, 'index.html') : normalize(join(root, path));
  return file.startsWith(root + sep) ? file : null;
}

function notFound(): Response {
  return new Response('not found', { status: 404 });
}

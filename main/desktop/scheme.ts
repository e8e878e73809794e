import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { protocol, type Session } from 'electron';
import { type ViewName, viewFile } from './viewFile.ts';

/** Our own scheme: each view has its own host, so its own origin; nothing but files of the built renderer is served. */
const SCHEME = 'oauth3';

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

/** Trusted Types policy of the decision view (renderer/decision/code/codeWorkers.ts), for the addresses of its workers. */
const workerPolicy = 'oauth3-workers';

/** The decision view compares and colours code in workers of its own; the window has neither them nor a policy. */
const workerRules: Readonly<Record<ViewName, readonly string[]>> = {
  window: ["worker-src 'none'", "trusted-types 'none'"],
  decision: ["worker-src 'self'", `trusted-types ${workerPolicy}`],
};

// React DOM makes no policy of Trusted Types.
const contentPolicy = (view: ViewName): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    ...workerRules[view],
  ].join('; ');

/**
 * Serves one view on one session. `root` is the folder of the built renderer; its shared chunks live in `assets/`.
 * Anything else, another host or another method is answered 404.
 */
export function serveView(session: Session, view: ViewName, root: string): void {
  const policy = contentPolicy(view);
  session.protocol.handle(SCHEME, async (request) => {
    const { host, pathname } = new URL(request.url);
    const parts = viewFile(view, host, pathname);
    if (request.method !== 'GET' || parts === null) return notFound();
    try {
      const file = join(root, ...parts);
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

function notFound(): Response {
  return new Response('not found', { status: 404 });
}

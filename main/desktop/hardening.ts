import { app, type Session, type WebContents } from 'electron';
import type { Log } from '../core/log.ts';

/**
 * Closes every way out of a view: no navigation, no new windows, no web views, no permissions, no downloads, no
 * network. Applies to all web contents and sessions that will ever exist, so nothing has to remember it.
 */
export function hardenEverything(log: Log): void {
  app.on('session-created', hardenSession);
  app.on('web-contents-created', (_event, contents) => hardenContents(contents, log));
}

function hardenContents(contents: WebContents, log: Log): void {
  const refuse = (what: string) => (event: { preventDefault: () => void }) => {
    event.preventDefault();
    log.warn({ what, url: contents.getURL() }, 'a view tried to leave');
  };
  contents.on('will-frame-navigate', refuse('navigate'));
  contents.on('will-redirect', refuse('redirect'));
  contents.on('will-attach-webview', refuse('webview'));
  // Without this a page moves and resizes its window (window.moveTo), and with it the decision view.
  contents.on('content-bounds-updated', refuse('move the window'));
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  // The one way to the network that no content policy and no request filter sees.
  contents.setWebRTCIPHandlingPolicy('disable_non_proxied_udp');
}

function hardenSession(session: Session): void {
  session.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
  session.setPermissionCheckHandler(() => false);
  session.setDevicePermissionHandler(() => false);
  session.on('will-download', (event) => event.preventDefault());
  // The views load from our own scheme only; whatever else is asked for goes nowhere.
  session.webRequest.onBeforeRequest({ urls: ['*://*/*', 'file://*/*'] }, (_details, answer) =>
    answer({ cancel: true }),
  );
}

// Loaded into the app before its own code (`-r`): holds it back until Playwright has attached. A window without a page
// that is made while Playwright attaches never answers it (microsoft/playwright#29386), and an app that starts into the
// tray makes just that. Playwright calls `__playwright_run` when it is done; its own loader, which it takes only together
// with its own choice of the executable, would set switches besides, `--password-store` among them.
const { app } = require('electron');

const whenReady = app.whenReady.bind(app);
const attached = new Promise((resolve) => {
  globalThis.__playwright_run = resolve;
});
app.whenReady = () => attached.then(whenReady);

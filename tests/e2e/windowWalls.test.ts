import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decisionIpc, windowIpc } from '../../contract/ipc.ts';
import { type Agent, bridgeCall, openWindowHouse, type WindowHouse } from '../support/windowHouse.ts';

let house: WindowHouse;
let agent: Agent;

beforeAll(async () => {
  house = await openWindowHouse();
  agent = await house.newAgent();
});
afterAll(() => house?.close());

const views = (): readonly (readonly [name: string, page: Page])[] => [
  ['window', house.window],
  ['decision', house.decision],
];
const isPending = async (id: string): Promise<boolean> => (await agent.request(id, 0)).status === 'pending';
const unauthorized = { ok: false, error: { code: 'unauthorized' } };

const openCard = (name: string, change: object = {}): Promise<string> =>
  house.askAndOpen(agent, { skill_id: name, code: `console.log('${name}')`, ...change });

/** Everything that a decision needs but the right to make it. */
async function decisionFor(id: string): Promise<object> {
  const state = JSON.stringify(await bridgeCall(house.decision, 'current', null));
  return { subject: 'run', id, revision: state.match(/"revision":"([^"]+)"/)?.[1], verdict: 'once' };
}

describe('the page of the main window (ATTACKS O240-242, L207)', () => {
  it('has the calls of its contract and none that decides; nothing of Node or Electron', async () => {
    for (const [name, page] of views()) {
      const calls = await page.evaluate('Object.keys(window.oauth3.calls)');
      expect(calls).toEqual(Object.keys((name === 'window' ? windowIpc : decisionIpc).calls));
      const foreign = '[typeof require, typeof process, typeof Buffer, typeof ipcRenderer, typeof module]';
      expect(await page.evaluate(foreign)).toEqual(Array.from({ length: 5 }, () => 'undefined'));
    }
    const calls = Object.keys(windowIpc.calls);
    for (const name of ['decide', 'confirmBinding', 'drawn']) expect(calls).not.toContain(name);
  });

  it('cannot change its bridge, and what it sends is checked', async () => {
    const changed = await house.window.evaluate(`(() => {
      try { window.oauth3.calls.status = () => 'mine'; } catch {}
      try { window.oauth3 = {}; } catch {}
      return typeof window.oauth3.calls.status(null).then;
    })()`);
    expect(changed).toBe('function');
    for (const input of [{ name: {} }, { name: 'a', more: 1 }, null, [], 'x']) {
      const answer = await bridgeCall(house.window, 'addAgent', input);
      expect(answer).toMatchObject({ ok: false, error: { code: 'invalid_request' } });
    }
    // Nothing but the token of an agent goes to the clipboard.
    expect(await bridgeCall(house.window, 'copyToken', { token: 'rm -rf ~' })).toMatchObject({
      ok: false,
      error: { code: 'invalid_request' },
    });
  });

  it('is refused every call of the decision view, even with the whole of ipcRenderer in its hands', async () => {
    const id = await openCard('forged');
    await house.decision.getByRole('button', { name: 'Run Once' }).and(house.decision.locator(':enabled')).waitFor();
    const input = await decisionFor(id);
    const preload = path.join(house.desk.home, 'hostile-preload.js');
    await writeFile(
      preload,
      `const { contextBridge, ipcRenderer } = require('electron');
       contextBridge.exposeInMainWorld('raw', {
         invoke: (channel, input) => ipcRenderer.invoke(channel, input).catch((error) => ({ failed: String(error) })),
       });`,
    );
    await chmod(preload, 0o644);
    await house.app.electron.evaluate(({ BrowserWindow }, filePath) => {
      const contents = BrowserWindow.getAllWindows()[0]?.webContents;
      const { session } = contents ?? {};
      if (session === undefined) throw new Error('no window');
      // Until Electron 34, and since.
      const before = Reflect.get(session, 'setPreloads');
      if (typeof before === 'function') before.call(session, [filePath]);
      else session.registerPreloadScript({ type: 'frame', filePath });
      contents?.reload();
    }, preload);
    await house.window.waitForFunction('window.raw !== undefined');
    const invoke = (channel: string, value: unknown): Promise<unknown> =>
      house.window.evaluate(`window.raw.invoke(${JSON.stringify(channel)}, ${JSON.stringify(value)})`);

    expect(await invoke('window:status', null)).toMatchObject({ ok: true });
    for (const name of Object.keys(decisionIpc.calls)) {
      expect(await invoke(`decision:${name}`, name === 'decide' ? input : null)).toMatchObject(unauthorized);
    }
    expect(await invoke('decision:nothing', null)).toMatchObject({ failed: expect.stringContaining('No handler') });
    expect(await isPending(id)).toBe(true);
  });

  it('is refused when the same page with the same preload stands in another window', async () => {
    const answers = await house.app.electron.evaluate(async ({ app, BrowserWindow }) => {
      const join = (file: string): string => `${app.getAppPath()}/out/preload/${file}.js`;
      const open = async (view: string): Promise<unknown> => {
        const webPreferences = { preload: join(view), partition: `oauth3-${view}`, sandbox: true };
        const other = new BrowserWindow({ show: false, webPreferences });
        await other.loadURL(`oauth3://${view}/index.html`);
        const call = view === 'window' ? 'agents' : 'current';
        const answer = await other.webContents.executeJavaScript(`window.oauth3.calls.${call}(null)`);
        other.destroy();
        return answer;
      };
      return [await open('window'), await open('decision')];
    });
    expect(answers).toMatchObject([unauthorized, unauthorized]);
  });
});

describe('the decision view stands above everything in the window', () => {
  const bounds = () =>
    house.app.electron.evaluate(({ BrowserWindow }) => {
      const window = BrowserWindow.getAllWindows()[0];
      return { window: window?.getBounds(), view: window?.contentView.children.at(-1)?.getBounds() };
    });

  /** Colour in the middle of the decision view, as it is on the screen. */
  async function middle(): Promise<string> {
    const place = await house.app.electron.evaluate(({ BrowserWindow }) => {
      const window = BrowserWindow.getAllWindows()[0];
      const content = window?.getContentBounds() ?? { x: 0, y: 0 };
      const view = window?.contentView.children.at(-1)?.getBounds() ?? { x: 0, y: 0, width: 0, height: 0 };
      return { x: content.x + view.x + 8, y: Math.round(content.y + view.y + view.height / 2) };
    });
    const crop = ['-window', 'root', '-crop', `1x1+${place.x}+${place.y}`, '-depth', '8', 'rgb:-'];
    const pixel = await house.desk.run('bash', ['-c', `import ${crop.join(' ')} | od -An -tu1`]);
    return pixel.stdout.trim().replace(/\s+/g, ' ');
  }

  it('and the page below can neither cover, move, shrink nor hide it', async () => {
    const id = await openCard('covered');
    const [before, colour] = [await bounds(), await middle()];
    expect(colour).toMatch(/^\d+ \d+ \d+$/);
    expect(colour).not.toBe('255 0 0');
    await house.window.evaluate(`(() => {
      const cover = document.createElement('div');
      for (const [name, value] of Object.entries({ position: 'fixed', inset: '0', background: 'rgb(255, 0, 0)', zIndex: 2147483647 }))
        cover.style[name] = value;
      cover.popover = 'manual';
      document.body.append(cover);
      cover.showPopover();
      window.moveTo(5000, 5000); window.moveBy(400, 400); window.resizeTo(200, 200); window.resizeBy(-300, -300);
      document.documentElement.requestFullscreen().catch(() => {});
      window.blur(); window.alert('Press Run Once'); window.confirm('ok?');
    })()`);
    await house.window.getByText('Requests').first().waitFor({ state: 'attached' });
    expect(await bounds()).toEqual(before);
    expect(await middle()).toBe(colour);
    expect(await isPending(id)).toBe(true);
    await house.window.reload();
    await house.window.getByRole('navigation').waitFor();
  });
});

describe('text from an agent on a card (ATTACKS M209-214, O239)', () => {
  const code = [
    "const safe = 'x\u202e\u2066 // check\u2069';",
    `<img src=x onerror="document.title='pwned'"><script>document.title='pwned'</script>`,
    "const tag = '\u{e0041}\u{e0042}';\u200b",
    ...Array.from({ length: 500 }, () => ''),
    `${' '.repeat(300)}afterSpaces();`,
    `${'long'.repeat(1500)}endOfLongLine`,
    'lastLine();',
  ].join('\n');

  it('is inert, and what cannot be seen is drawn', async () => {
    await openCard('hostile', {
      code,
      metadata: { description: '<b onclick=x>trusted\u202e</b> [link](javascript:alert(1))\u{e0041}' },
    });
    const { decision } = house;
    const listing = decision.getByRole('region', { name: 'Code that would run' });
    const shown = (await listing.textContent()) ?? '';
    for (const part of [
      'U+202E',
      'U+2066',
      'U+E0041',
      'U+200B',
      '500 blank lines',
      '300 spaces',
      '<img src=x onerror=',
    ]) {
      expect(shown).toContain(part);
    }
    expect(await decision.content()).not.toMatch(/[\u202e\u2066\u200b]|\u{e0041}/u);
    await decision.getByText('<b onclick=x>trusted').waitFor();
    expect(await decision.locator('img, script:not([src]), a, b, iframe').count()).toBe(0);
    expect(await decision.evaluate('document.title')).not.toContain('pwned');
    // Each line once, the blank ones as one row; a long line goes on in rows of its own.
    const numbers = await listing
      .locator('[data-number]')
      .evaluateAll((elements) => elements.map((element) => element.getAttribute('data-number')));
    expect(numbers.filter((number) => number !== '↳')).toEqual(['1', '2', '3', '4–503', '504', '505', '506']);
  });

  it('is all there: nothing is cut off, wide lines are wrapped, and the end can be scrolled to', async () => {
    const { decision } = house;
    const cut =
      await decision.evaluate(`[...document.querySelectorAll('main section, main dl, main li, main dd, main h1')]
      .filter((part) => part.tabIndex !== 0)
      .filter((part) => part.scrollHeight > part.clientHeight + 1 || part.scrollWidth > part.clientWidth + 1)
      .map((part) => part.outerHTML.slice(0, 80))`);
    expect(cut).toEqual([]);
    const scroller = decision.getByRole('region', { name: 'What would run' });
    for (const end of ['endOfLongLine', 'lastLine();']) {
      const line = decision.locator('li', { hasText: end });
      await line.scrollIntoViewIfNeeded();
      const [box, frame] = [await line.boundingBox(), await scroller.boundingBox()];
      if (box === null || frame === null) throw new Error('not laid out');
      expect(box.x + box.width).toBeLessThanOrEqual(frame.x + frame.width);
    }
    const last = await decision.locator('li', { hasText: 'lastLine();' }).boundingBox();
    const frame = await scroller.boundingBox();
    expect((last?.y ?? 0) + (last?.height ?? 0)).toBeLessThanOrEqual((frame?.y ?? 0) + (frame?.height ?? 0) + 1);
  });
});

describe('a view reaches nothing (ATTACKS O240, O243, O247, O248)', () => {
  const address = (): string => `https://127.0.0.1:${house.api.port}/stolen`;
  const tryIn = (page: Page, script: string): Promise<unknown> =>
    page.evaluate(
      `(async () => { try { return await (${script}); } catch (error) { return 'refused: ' + error.name; } })()`,
    );

  it('on the network, by any way that a page has', async () => {
    const before = house.api.connections();
    for (const [, page] of views()) {
      const to = JSON.stringify(address());
      expect(await tryIn(page, `fetch(${to})`)).toMatch(/^refused/);
      expect(await tryIn(page, 'fetch("oauth3://decision/index.html")')).toMatch(/^refused/);
      await tryIn(
        page,
        `new Promise((done) => {
          const image = new Image(); image.onerror = image.onload = done; image.src = ${to};
          navigator.sendBeacon(${to}, 'x');
          for (const rel of ['stylesheet', 'prefetch', 'preload', 'icon']) {
            const link = document.createElement('link'); link.rel = rel; link.href = ${to}; document.head.append(link);
          }
          const frame = document.createElement('iframe'); frame.src = ${to}; document.body.append(frame);
        })`,
      );
      const socket = `new Promise((done) => { const one = new WebSocket('wss://127.0.0.1:${house.api.port}'); one.onopen = () => done('open'); one.onerror = () => done('closed'); })`;
      expect(await tryIn(page, socket)).not.toBe('open');
      const form = `(() => { const form = document.createElement('form'); form.action = ${to}; form.method = 'post'; document.body.append(form); form.submit(); })()`;
      await tryIn(page, form);
    }
    expect(house.api.connections()).toBe(before);
    const kept = ({ session }: typeof import('electron')) => session.defaultSession.cookies.get({});
    expect(await house.app.electron.evaluate(kept)).toEqual([]);
  });

  it('by leaving: no navigation, no new window', async () => {
    for (const [name, page] of views()) {
      const url = page.url();
      const targets = [address(), 'file:///etc/passwd', 'data:text/html,hi', `oauth3://${name}/assets/x.js`];
      for (const target of targets) await tryIn(page, `void (location.href = ${JSON.stringify(target)})`);
      expect(await tryIn(page, `String(window.open(${JSON.stringify(address())}))`)).toBe('null');
      expect(await tryIn(page, 'String(window.open("about:blank"))')).toBe('null');
      expect(await tryIn(page, 'document.visibilityState')).toMatch(/visible|hidden/);
      expect(page.url()).toBe(url);
    }
    expect(house.app.electron.windows()).toHaveLength(2);
  });

  it('by running text as code or markup', async () => {
    for (const [, page] of views()) {
      expect(await tryIn(page, `document.body.insertAdjacentHTML('beforeend', '<b>x</b>')`)).toBe('refused: TypeError');
      expect(await tryIn(page, `document.createElement('script').text = 'window.ran = 1'`)).toBe('refused: TypeError');
      expect(await tryIn(page, `trustedTypes.createPolicy('mine', {})`)).toBe('refused: TypeError');
      expect(
        await tryIn(
          page,
          `document.body.append(Object.assign(document.createElement('script'), { src: 'data:,window.ran=1' }))`,
        ),
      ).toMatch(/^refused/);
      expect(await page.evaluate('window.ran')).toBeUndefined();
    }
  });

  it('by permissions and devices', async () => {
    for (const [, page] of views()) {
      expect(await tryIn(page, 'Notification.requestPermission()')).toBe('denied');
      for (const name of ['geolocation', 'notifications', 'camera', 'microphone', 'clipboard-read', 'midi']) {
        expect(await tryIn(page, `navigator.permissions.query({ name: '${name}' }).then((one) => one.state)`)).toBe(
          'denied',
        );
      }
      for (const wish of [
        'navigator.mediaDevices.getUserMedia({ audio: true })',
        'navigator.mediaDevices.getDisplayMedia({ video: true })',
        'navigator.clipboard.readText()',
        'document.body.requestPointerLock()',
        'navigator.usb.requestDevice({ filters: [] })',
      ]) {
        expect(await tryIn(page, wish)).toMatch(/^refused/);
      }
    }
  });

  it('and its scheme serves the built page and its assets, with a policy, and nothing else', async () => {
    const answers = await house.app.electron.evaluate(async ({ session }) => {
      const from = async (partition: string, url: string, method = 'GET'): Promise<readonly [number, string]> => {
        const response = await session.fromPartition(partition).fetch(url, { method });
        return [response.status, response.headers.get('content-security-policy') ?? ''];
      };
      return {
        page: await from('oauth3-window', 'oauth3://window/index.html'),
        refused: await Promise.all([
          from('oauth3-window', 'oauth3://decision/index.html'),
          from('oauth3-window', 'oauth3://window/decision/index.html'),
          from('oauth3-window', 'oauth3://window/assets/..%2f..%2fmain%2findex.js'),
          from('oauth3-window', 'oauth3://window/..%5c..%5cpackage.json'),
          from('oauth3-window', 'oauth3://window/%zz'),
          from('oauth3-window', 'oauth3://window/'),
          from('oauth3-decision', 'oauth3://window/index.html'),
          from('oauth3-decision', 'oauth3://decision/index.html', 'POST'),
        ]),
      };
    });
    expect(answers.page[0]).toBe(200);
    for (const part of [
      "default-src 'none'",
      "script-src 'self'",
      "require-trusted-types-for 'script'",
      "frame-ancestors 'none'",
    ]) {
      expect(answers.page[1]).toContain(part);
    }
    expect(answers.page[1]).not.toContain('unsafe');
    expect(answers.refused.map(([status]) => status)).toEqual(answers.refused.map(() => 404));
  });
});

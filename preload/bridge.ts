import { contextBridge, ipcRenderer } from 'electron';
import type { IpcContract } from '../contract/ipc.ts';

/**
 * Exposes exactly the calls and events of one view's contract, each as its own function. The page never sees
 * ipcRenderer, an IPC event object or a channel name.
 */
export function exposeBridge(view: 'window' | 'decision', contract: IpcContract): void {
  const calls = Object.fromEntries(
    Object.keys(contract.calls).map((name) => [
      name,
      (input: unknown): Promise<unknown> => ipcRenderer.invoke(`${view}:${name}`, input),
    ]),
  );
  const events = new Set(Object.keys(contract.events));
  const on = (name: string, listener: (payload: unknown) => void): (() => void) => {
    if (!events.has(name)) throw new Error(`unknown event ${name}`);
    const receive = (_event: unknown, payload: unknown): void => listener(payload);
    ipcRenderer.on(`${view}:${name}`, receive);
    return () => ipcRenderer.removeListener(`${view}:${name}`, receive);
  };
  contextBridge.exposeInMainWorld('oauth3', { calls, on });
}

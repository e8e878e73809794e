import { type IpcMainInvokeEvent, ipcMain, type WebContents } from 'electron';
import { CodedError, errorBody } from '../../contract/errors.ts';
import type { Answer, Emit, Handlers, IpcContract } from '../../contract/ipc.ts';
import type { Log } from '../core/log.ts';

/**
 * The one module that touches ipcMain. A call counts only from the main frame of the very web contents it was bound
 * to, at the very address that view was loaded from; its input is parsed before a handler sees it.
 */
export function bindIpc<Contract extends IpcContract>(
  view: Readonly<{ name: string; contents: WebContents; url: string }>,
  contract: Contract,
  handlers: Handlers<Contract>,
  log: Log,
): Readonly<{ emit: Emit<Contract>; dispose: () => void }> {
  const channels: string[] = [];
  for (const name of Object.keys(contract.calls)) {
    const spec = contract.calls[name];
    const handler: ((input: never) => unknown) | undefined = handlers[name];
    if (spec === undefined || handler === undefined) throw new Error(`no IPC handler for ${view.name}:${name}`);
    const channel = `${view.name}:${name}`;
    channels.push(channel);
    ipcMain.handle(channel, async (event, input: unknown): Promise<Answer<unknown>> => {
      if (!isFromView(event, view)) {
        log.warn({ channel, url: event.senderFrame?.url }, 'refused an IPC call from a foreign frame');
        return refusal(new CodedError('unauthorized', 'This view may not call this.'));
      }
      const parsed = spec.input.safeParse(input);
      if (!parsed.success) return refusal(new CodedError('invalid_request', 'The call is malformed.'));
      try {
        return { ok: true, value: await handler(parsed.data as never) };
      } catch (error) {
        return refusal(codedFrom(error, channel, log));
      }
    });
  }
  return {
    emit: (name, payload) => {
      if (!view.contents.isDestroyed()) view.contents.send(`${view.name}:${String(name)}`, payload);
    },
    dispose: () => {
      for (const channel of channels) ipcMain.removeHandler(channel);
    },
  };
}

function isFromView(event: IpcMainInvokeEvent, view: Readonly<{ contents: WebContents; url: string }>): boolean {
  const frame = event.senderFrame;
  return (
    event.sender.id === view.contents.id &&
    frame !== null &&
    frame.parent === null &&
    frame === view.contents.mainFrame &&
    frame.url === view.url
  );
}

function codedFrom(error: unknown, channel: string, log: Log): CodedError {
  if (error instanceof CodedError) return error;
  log.error({ channel, err: error }, 'an IPC handler failed');
  return new CodedError('internal', 'Something went wrong inside OAuth3. The log has the details.');
}

function refusal(error: CodedError): Answer<never> {
  return { ok: false, error: errorBody(error).error };
}

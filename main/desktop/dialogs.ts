import { join } from 'node:path';
import { app, type BrowserWindow, dialog } from 'electron';
import type { Question } from './admission.ts';

// Dialogs of the system: no script in a view can answer them.

/** The file that the owner chooses, null: none. */
export async function chooseEnvFile(window: BrowserWindow): Promise<string | null> {
  const { filePaths } = await dialog.showOpenDialog(window, {
    title: 'Choose a .env file',
    properties: ['openFile', 'showHiddenFiles'],
  });
  return filePaths[0] ?? null;
}

/** Where the owner wants the export, null: nowhere. `name` is proposed. */
export async function chooseExport(window: BrowserWindow, name: string): Promise<string | null> {
  const { canceled, filePath } = await dialog.showSaveDialog(window, {
    title: 'Export the audit log',
    defaultPath: join(app.getPath('documents'), name),
  });
  return canceled || filePath === '' ? null : filePath;
}

/** True when the owner chose the action. Enter and Escape say no. */
export async function askOwner(window: BrowserWindow, { message, detail, action }: Question): Promise<boolean> {
  const buttons = ['Cancel', action];
  const no = { defaultId: 0, cancelId: 0, noLink: true };
  const options = { type: 'question', title: 'OAuth3', message, detail, buttons, ...no } as const;
  return (await dialog.showMessageBox(window, options)).response === 1;
}

/** Closing the window looks like the end of the app, and is none. `tell`: a notification; false where there are none. */
export async function tellThatItRuns(tell: (title: string, body: string) => Promise<boolean>): Promise<void> {
  const title = 'OAuth3 keeps running';
  const body =
    'Requests still reach you. Open it from its icon in the tray, or by starting it again; Quit is in both menus.';
  if (await tell(title, body)) return;
  await dialog.showMessageBox({ type: 'info', title, message: title, detail: body, buttons: ['OK'], cancelId: 0 });
}

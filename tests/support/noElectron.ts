/**
 * Stands in for `electron` and `electron-store` outside Electron: importing the real packages in plain Node starts a
 * download. Code that reaches for them in a test without windows is in the wrong room.
 */
throw new Error('electron was imported outside Electron: only the shell, the windows and their adapters may');

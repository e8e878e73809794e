import { type BrowserWindow, powerMonitor } from 'electron';
import type { Presenter } from './presenter.ts';

/** Tells the presenter when the window, and with it a card, may come before the owner's eyes or leave them. */
export function watchSight(window: BrowserWindow, presenter: Presenter): () => void {
  const away = (): void => presenter.outOfSight();
  const back = (): void => presenter.inSight();
  for (const event of ['hide', 'minimize', 'blur'] as const) window.on(event as 'hide', away);
  for (const event of ['show', 'restore', 'focus'] as const) window.on(event as 'show', back);
  window.on('resize', () => presenter.resized());
  powerMonitor.on('lock-screen', away);
  powerMonitor.on('suspend', away);
  powerMonitor.on('unlock-screen', back);
  powerMonitor.on('resume', back);
  return () => {
    powerMonitor.off('lock-screen', away);
    powerMonitor.off('suspend', away);
    powerMonitor.off('unlock-screen', back);
    powerMonitor.off('resume', back);
  };
}

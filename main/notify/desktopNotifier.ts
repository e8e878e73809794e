import { Notification } from 'electron';
import type { Log } from '../core/log.ts';
import { DbusNotifier, sessionBusAddress } from './dbusNotifier.ts';
import { ElectronNotifier } from './electronNotifier.ts';
import type { Notifier } from './notifier.ts';

/** The notifications of this desktop. On Linux over D-Bus, since Electron's own have no buttons there. */
export function desktopNotifier(log: Log): Notifier {
  if (process.platform === 'linux') return new DbusNotifier(sessionBusAddress(process.env), log);
  return new ElectronNotifier(Notification);
}

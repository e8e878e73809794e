import { AlertDialog } from '@base-ui/react/alert-dialog';
import { Menu } from '@base-ui/react/menu';
import { useState } from 'react';
import type { DeskSnapshot, WindowContract } from '../../contract/ipc.ts';
import { type Api, unwrap } from '../shared/api.ts';
import { ConfirmPopup } from './ConfirmButton.tsx';
import styles from './StateMenu.module.css';
import { useAction } from './useAction.ts';

/** How the app is, in the corner of every page, with what stops it: a shape for each state, as on the tray. */
type State = 'locked' | 'paused' | 'running' | 'idle';

function stateOf({ vault, paused, running }: DeskSnapshot): State {
  if (vault !== 'unlocked') return 'locked';
  if (paused) return 'paused';
  return running > 0 ? 'running' : 'idle';
}

const words: Readonly<Record<State, (desk: DeskSnapshot) => string>> = {
  locked: () => 'Locked',
  paused: () => 'Paused',
  running: ({ running }) => `${running} running`,
  idle: ({ preparing }) => (preparing === null ? 'Ready' : 'Preparing'),
};

type MenuProps = Readonly<{ api: Api<WindowContract>; desk: DeskSnapshot }>;

export function StateMenu({ api, desk }: MenuProps) {
  const [panic, setPanic] = useState(false);
  const { problem, act } = useAction(() => undefined);
  const state = stateOf(desk);
  const text = words[state](desk);
  return (
    <>
      {problem !== null && (
        <span role="alert" className={styles.problem}>
          {problem}
        </span>
      )}
      <Menu.Root>
        <Menu.Trigger className={styles.trigger} data-state={state} aria-label={`${text}. Pause, lock, stop or quit`}>
          <Shape of={state} />
          <span className={styles.text}>{text}</span>
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Positioner sideOffset={6} align="end" className={styles.positioner}>
            <Menu.Popup className={styles.popup}>
              {desk.preparing !== null && <p className={styles.preparing}>{desk.preparing}</p>}
              {desk.paused ? (
                <Menu.Item className={styles.item} onClick={() => act(() => unwrap(api.calls.resume(null)))}>
                  Resume
                </Menu.Item>
              ) : (
                <Menu.Item className={styles.item} onClick={() => act(() => unwrap(api.calls.pause(null)))}>
                  Pause <small>nothing new runs</small>
                </Menu.Item>
              )}
              {state !== 'locked' && (
                <Menu.Item className={styles.item} onClick={() => act(() => unwrap(api.calls.lock(null)))}>
                  Lock the vault <small>nothing runs, no secret is readable</small>
                </Menu.Item>
              )}
              <Menu.Separator className={styles.line} />
              <Menu.Item className={styles.item} data-tone="danger" onClick={() => setPanic(true)}>
                Stop everything…
              </Menu.Item>
              <Menu.Separator className={styles.line} />
              <Menu.Item className={styles.item} onClick={() => act(() => unwrap(api.calls.quit(null)))}>
                Quit OAuth3 <small>until it runs again, agents get nothing</small>
              </Menu.Item>
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
      <AlertDialog.Root open={panic} onOpenChange={setPanic}>
        <ConfirmPopup
          question="Stop everything?"
          detail="Running code is killed, all trust is revoked, every agent is paused and the vault is locked."
          action="Stop everything"
          onConfirm={() => void act(() => unwrap(api.calls.panic(null)))}
        />
      </AlertDialog.Root>
    </>
  );
}

const shapes: Readonly<Record<State, string>> = {
  idle: 'M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2Z',
  running: 'M4 2.5v11l10-5.5Z',
  paused: 'M3 2h4v12H3ZM9 2h4v12H9Z',
  locked: 'M5 7V5a3 3 0 0 1 6 0v2h1.5v7h-9V7Zm1.6 0h2.8V5a1.4 1.4 0 0 0-2.8 0Z',
};

function Shape({ of }: Readonly<{ of: State }>) {
  return (
    <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true" className={styles.shape}>
      <path d={shapes[of]} fill="currentColor" />
    </svg>
  );
}

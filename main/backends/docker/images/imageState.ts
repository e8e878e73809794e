import { type Runtime, runtimeNames } from '../../../../contract/runtime.ts';
import type { BackendStatus } from '../../../runs/backend.ts';
import type { ImageProgress } from './ports.ts';

/** How far one image is. */
export type ImageState =
  | Readonly<{ kind: 'absent' }>
  /** Asked for, behind another one. */
  | Readonly<{ kind: 'waiting' }>
  | Readonly<{ kind: 'making'; progress: ImageProgress | null }>
  | Readonly<{ kind: 'ready'; id: string }>
  /** `atMs` on the clock of the book; `engineGone`: the engine did not answer, so nothing is known about the image. */
  | Readonly<{ kind: 'failed'; reason: string; atMs: number; engineGone: boolean }>;

/** The state as the rest of the app sees it. */
export function imageStatus(runtime: Runtime, state: ImageState): BackendStatus {
  const image = `The ${runtimeNames[runtime]} image`;
  const coming = (rest: string, busy = false): BackendStatus => ({
    ready: false,
    coming: true,
    ...(busy && { busy }),
    reason: `${image} ${rest}`,
  });
  switch (state.kind) {
    case 'ready':
      return { ready: true };
    case 'absent':
      return coming('is not made yet; it is made when it is first needed');
    case 'waiting':
      return coming('is made as soon as another one is finished', true);
    case 'making':
      return coming(`is being made${state.progress === null ? '' : `: ${progressText(state.progress)}`}`, true);
    case 'failed':
      return { ready: false, coming: false, reason: `${image} could not be made: ${state.reason}` };
  }
}

function progressText({ step, done }: ImageProgress): string {
  return done === null ? step : `${step} ${percent(done)} %`;
}

const percent = (done: number): number => Math.floor(Math.min(1, Math.max(0, done)) * 100);

import type { Target } from './target.ts';
import { attach } from './targets/attach.ts';
import { bodies } from './targets/bodies.ts';
import { bodyPlaces } from './targets/bodyPlaces.ts';
import { embedded } from './targets/embedded.ts';
import { framing } from './targets/framing.ts';
import { hosts } from './targets/hosts.ts';
import { redaction } from './targets/redaction.ts';
import { runner } from './targets/runner.ts';
import { substitution } from './targets/substitution.ts';
import { tunnelTls } from './targets/tunnelTls.ts';
import { urls } from './targets/urls.ts';
import { webSocket } from './targets/webSocket.ts';

/** Every surface that is fuzzed. */
export const targets: readonly Target[] = [
  hosts,
  urls,
  framing,
  tunnelTls,
  webSocket,
  runner,
  attach,
  embedded,
  redaction,
  substitution,
  bodies,
  bodyPlaces,
];

import { fileURLToPath } from 'node:url';
import { NodeChildLauncher } from './nodeChild.ts';

/** For tests: processes of the sandbox program as it stands in the source tree. */
export function sandboxProgram(): NodeChildLauncher {
  return new NodeChildLauncher(fileURLToPath(new URL('../../../sandbox/quickjs/child.ts', import.meta.url)));
}

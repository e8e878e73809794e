import { silentLog } from '../../core/log.ts';
import { backendContract } from '../../runs/backend.contract.ts';
import { EmbeddedBackend } from './backend.ts';
import { quickjsPrograms } from './contractPrograms.ts';
import { sandboxProgram } from './testing.ts';

backendContract(
  'The embedded backend',
  () => new EmbeddedBackend({ launcher: sandboxProgram(), poolSize: 1, log: silentLog }),
  'quickjs',
  quickjsPrograms,
);

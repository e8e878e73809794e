import { backendContract } from './backend.contract.ts';
import { FakeBackend } from './fakeBackend.ts';

backendContract('The fake backend', () => new FakeBackend(), 'quickjs', {
  speaks: 'print out\nerror err',
  exitsWith3: 'exit 3',
  throws: 'throw boom',
  printsEnvironment: 'env GREETING\ncount-env',
  spins: 'spin',
  fetches: 'fetch POST https://api.test/echo x-a:b ping',
  leavesTraces: 'print clean',
});

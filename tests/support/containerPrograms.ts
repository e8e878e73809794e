import type { Runtime } from '../../contract/runtime.ts';
import { sandboxEnvNames } from '../../main/backends/docker/runnerJob.ts';
import { runtimeTable } from '../../main/backends/docker/runtimeTable.ts';
import { quickjsPrograms } from '../../main/backends/embedded/contractPrograms.ts';
import type { ContractPrograms } from '../../main/runs/backend.contract.ts';

/** What the sandbox itself puts into the environment, as a literal of all three languages. */
const ownNames = (runtime: Runtime): string => {
  const row = runtimeTable.find((each) => each.runtime === runtime);
  return JSON.stringify([...sandboxEnvNames, ...Object.keys(row?.env ?? {})]);
};

const javaScript = (runtime: 'deno' | 'node', writeTrace: string): ContractPrograms => ({
  speaks: "console.log('out'); console.error('err');",
  exitsWith3: runtime === 'deno' ? 'Deno.exit(3)' : 'process.exit(3)',
  throws: "throw new TypeError('boom')",
  printsEnvironment: `const own: string[] = ${ownNames(runtime)};
const env: Record<string, string> = ${runtime === 'deno' ? 'Deno.env.toObject()' : '{ ...process.env } as Record<string, string>'};
console.log(env.GREETING);
console.log(Object.keys(env).filter((name) => !own.includes(name)).length);`,
  spins: 'for (;;);',
  fetches: `const response = await fetch('https://api.test/echo', { method: 'POST', headers: { 'x-a': 'b' }, body: 'ping' });
console.log(response.status, await response.text());`,
  leavesTraces: writeTrace,
});

/** The programs of the contract in each runtime of the containers. */
export const containerPrograms: Readonly<Record<Runtime, ContractPrograms>> = {
  node: javaScript(
    'node',
    `import { existsSync, writeFileSync } from 'node:fs';
const places = ['/tmp/trace', '/dev/shm/trace'];
console.log(places.some((place) => existsSync(place)) ? 'dirty' : 'clean');
for (const place of places) writeFileSync(place, 'dirty');`,
  ),
  deno: javaScript(
    'deno',
    `let seen = 'clean';
try { Deno.statSync('/tmp/trace'); seen = 'dirty'; } catch {}
console.log(seen);
Deno.writeTextFileSync('/tmp/trace', 'dirty');`,
  ),
  python: {
    speaks: "import sys; print('out'); print('err', file=sys.stderr)",
    exitsWith3: 'import sys; sys.exit(3)',
    throws: "raise ValueError('boom')",
    printsEnvironment: `import os
own = ${ownNames('python')}
print(os.environ['GREETING'])
print(len([name for name in os.environ if name not in own]))`,
    spins: 'while True: pass',
    fetches: `import urllib.request
request = urllib.request.Request('https://api.test/echo', data=b'ping', headers={'x-a': 'b'}, method='POST')
with urllib.request.urlopen(request) as response:
    print(response.status, response.read().decode())`,
    leavesTraces: `import os
places = ['/tmp/trace', '/dev/shm/trace']
print('dirty' if any(os.path.exists(place) for place in places) else 'clean')
for place in places: open(place, 'w').close()`,
  },
  quickjs: quickjsPrograms,
};

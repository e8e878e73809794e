/** For tests: the programs of the contract as QuickJS runs them, embedded and in containers. */
export const quickjsPrograms = {
  speaks: "console.log('out'); console.error('err');",
  exitsWith3: 'process.exit(3)',
  throws: "throw new TypeError('boom')",
  printsEnvironment: "console.log(Deno.env.get('GREETING')); console.log(Object.keys(process.env).length);",
  spins: 'for (;;);',
  fetches: `const response = await fetch('https://api.test/echo', { method: 'POST', headers: { 'x-a': 'b' }, body: 'ping' });
console.log(response.status, await response.text());`,
  leavesTraces: `console.log(globalThis.trace ?? Array.prototype.trace ?? 'clean');
globalThis.trace = Array.prototype.trace = 'dirty';`,
};

import { isMainThread } from 'node:worker_threads';

/**
 * The program of the runtime `quickjs` in a container: the guest of the embedded sandbox, for one file of code.
 * `node quickjs.mjs <file>`; quickjs.wasm stands beside it.
 */
const most = 2048;
const usual = 256;

/**
 * All that the container has, so that the kernel ends a program that wants more and this is told as such; the usual
 * amount where the container cannot see a limit (gVisor). MiB.
 */
function memoryMb(): number {
  const mib = Math.floor(process.constrainedMemory() / (1024 * 1024));
  return mib > 0 && mib <= most ? mib : usual;
}

if (isMainThread) (await import('./containerHost.ts')).runFile(import.meta.url, process.argv[2] ?? '', memoryMb());
else {
  const wasmFile = new URL('./quickjs.wasm', import.meta.url);
  await (await import('./guest.ts')).serve({ wasmFile, memoryMb: memoryMb(), warmsUp: false });
}

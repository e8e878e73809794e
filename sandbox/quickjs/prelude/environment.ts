import type { GuestKit } from './kit.ts';

/** The two ways programs know to read their environment and to stop. The names exist; nothing of the machine does. */
export function installEnvironment(kit: GuestKit): void {
  const env: Record<string, string> = {};

  function exit(code: unknown = 0): void {
    const number = Math.trunc(Number(code));
    kit.exit(Number.isFinite(number) ? number & 255 : 1);
  }

  const writer = (fd: 1 | 2) => ({
    write(text: unknown): boolean {
      kit.print(
        fd,
        ArrayBuffer.isView(text)
          ? kit.decode(new Uint8Array(text.buffer, text.byteOffset, text.byteLength))
          : String(text),
      );
      return true;
    },
  });

  kit.on('environment', (message) => {
    if (typeof message.env === 'object' && message.env !== null) Object.assign(env, message.env);
  });

  const process = {
    env,
    argv: ['quickjs', 'skill.ts'],
    exitCode: undefined as unknown,
    exit,
    platform: 'quickjs',
    versions: {},
    stdout: writer(1),
    stderr: writer(2),
    nextTick: (callback: (...values: unknown[]) => void, ...values: unknown[]) =>
      queueMicrotask(() => callback(...values)),
  };
  kit.define('process', process);
  kit.on('finish', () => {
    const code = Math.trunc(Number(process.exitCode ?? 0));
    kit.ask('exit', Number.isFinite(code) ? code & 255 : 1);
  });
  kit.define('Deno', {
    args: [],
    env: {
      get: (name: unknown) => (Object.hasOwn(env, String(name)) ? env[String(name)] : undefined),
      has: (name: unknown) => Object.hasOwn(env, String(name)),
      toObject: () => ({ ...env }),
      set(name: unknown, value: unknown) {
        env[String(name)] = String(value);
      },
      delete(name: unknown) {
        delete env[String(name)];
      },
    },
    exit,
  });
  kit.define('self', globalThis);

  // Asked once, before there is a program: WebAssembly is compiled as it is first used, and this uses the most of it.
  kit.on('warm', () => {
    kit.inspect({ list: [1, 'two', { three: new Map([[3, /x/]]) }], error: new Error('none') });
    new Response(new Request('https://warm.invalid/?a=b', { headers: { a: 'b' } }).url).text().then(JSON.stringify);
  });
}

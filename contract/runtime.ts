import { z } from 'zod';

/** Languages that a sandbox can run. A runtime is picked by the request or by the owner's setting, never by fallback. */
export const runtimes = ['deno', 'node', 'python', 'quickjs'] as const;
export const runtimeSchema = z.enum(runtimes);
export type Runtime = z.infer<typeof runtimeSchema>;

/** As a person reads them; requests, settings and the command line use the keys. */
export const runtimeNames: Readonly<Record<Runtime, string>> = {
  deno: 'Deno',
  node: 'Node',
  python: 'Python',
  quickjs: 'QuickJS',
};

/** Isolation levels, weakest first: an index comparison is a strength comparison. */
export const isolations = ['embedded', 'container', 'gvisor', 'kata'] as const;
export const isolationSchema = z.enum(isolations);
export type Isolation = z.infer<typeof isolationSchema>;

/** As a person reads them. */
export const isolationNames: Readonly<Record<Isolation, string>> = {
  embedded: 'embedded',
  container: 'container',
  gvisor: 'container under gVisor',
  kata: 'container under Kata',
};

/** The one of both that is stronger. */
export function strongerIsolation(left: Isolation, right: Isolation): Isolation {
  return isolationSatisfies(left, right) ? left : right;
}

/** True when `actual` is at least as strong as `minimum`. */
export function isolationSatisfies(actual: Isolation, minimum: Isolation): boolean {
  return isolations.indexOf(actual) >= isolations.indexOf(minimum);
}

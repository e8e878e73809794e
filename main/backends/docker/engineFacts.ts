import { z } from 'zod';
import type { ContainerIsolation } from './ports.ts';

/** What the engine calls an isolation level, and how that runtime is started. */
type EngineRuntime = Readonly<{ name: string; args: readonly string[] }>;

/** What an engine says of itself. */
export type EngineFacts = Readonly<{
  version: string;
  /** Null where the engine does not tell (another runtime, an older API). */
  runcVersion: string | null;
  cgroup: string;
  seccomp: boolean;
  /** Limits that the kernel can hold a container to here. */
  limits: Readonly<{ memory: boolean; swap: boolean; cpu: boolean; processes: boolean }>;
  runtimes: Readonly<Partial<Record<ContainerIsolation, EngineRuntime>>>;
  /** Memory of the engine's machine, bytes. */
  memTotal: number;
  /** `linux`, unless it runs Windows containers. */
  osType: string;
  /** Version of Docker Desktop, or null. */
  desktop: string | null;
}>;

const runtimeSchema = z.looseObject({ path: z.string().optional(), runtimeArgs: z.array(z.string()).nullish() });

/** Answer of `GET /info`, as far as it matters. */
export const infoSchema = z.looseObject({
  OSType: z.string().default('linux'),
  CgroupVersion: z.string().default('1'),
  SecurityOptions: z.array(z.string()).nullish(),
  Runtimes: z.record(z.string(), runtimeSchema).nullish(),
  DefaultRuntime: z.string().default(''),
  MemTotal: z.number().default(0),
  MemoryLimit: z.boolean().default(false),
  SwapLimit: z.boolean().default(false),
  CpuCfsQuota: z.boolean().default(false),
  PidsLimit: z.boolean().default(false),
});

/** Answer of `GET /version`, as far as it matters. */
export const versionSchema = z.looseObject({
  Version: z.string(),
  Platform: z.looseObject({ Name: z.string() }).nullish(),
  Components: z.array(z.looseObject({ Name: z.string(), Version: z.string() })).nullish(),
});

type Runtimes = NonNullable<z.infer<typeof infoSchema>['Runtimes']>;

export function engineFacts(info: z.infer<typeof infoSchema>, version: z.infer<typeof versionSchema>): EngineFacts {
  const runc = version.Components?.find(({ Name }) => Name.toLowerCase() === 'runc');
  const [, desktop = null] = /^Docker Desktop ([0-9][0-9.]*)/.exec(version.Platform?.Name ?? '') ?? [];
  return {
    version: version.Version,
    runcVersion: runc?.Version ?? null,
    cgroup: info.CgroupVersion,
    seccomp: (info.SecurityOptions ?? []).some((option) => /(^|name=)seccomp/.test(option)),
    limits: { memory: info.MemoryLimit, swap: info.SwapLimit, cpu: info.CpuCfsQuota, processes: info.PidsLimit },
    runtimes: runtimesOf(info.Runtimes ?? {}, info.DefaultRuntime),
    memTotal: info.MemTotal,
    osType: info.OSType,
    desktop,
  };
}

function runtimesOf(listed: Runtimes, byDefault: string): EngineFacts['runtimes'] {
  const entry = (isKind: (name: string, program: string) => boolean): EngineRuntime | null => {
    const found = Object.entries(listed).find(([name, { path }]) => isKind(name, path?.split('/').at(-1) ?? ''));
    return found === undefined ? null : { name: found[0], args: found[1].runtimeArgs ?? [] };
  };
  // By its own name, so that an engine whose default is another one does not give that under this name.
  const container =
    entry((name) => name === 'runc') ?? (byDefault === '' ? null : { name: byDefault, args: [] as const });
  const gvisor = entry((name, program) => /runsc|gvisor/.test(`${name} ${program}`));
  const kata = entry((name, program) => /kata/.test(`${name} ${program}`));
  return {
    ...(container === null ? {} : { container }),
    ...(gvisor === null ? {} : { gvisor }),
    ...(kata === null ? {} : { kata }),
  };
}

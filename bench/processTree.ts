import { readdirSync, readFileSync } from 'node:fs';

/** What Linux tells of one process: `proc(5)`. Memory is its proportional share (PSS), bytes; CPU time in ms. */
export type ProcessFacts = Readonly<{ pid: number; command: string; pssBytes: number; cpuMs: number }>;

const msPerTick = 10;

/** Of a process and all that it started. A process that ends meanwhile is left out. */
export function processTree(pid: number): readonly ProcessFacts[] {
  const parents = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        const parent = statOf(Number(name))?.parent;
        return parent === undefined ? [] : [[Number(name), parent] as const];
      }),
  );
  const isWithin = (one: number): boolean => {
    for (let at: number | undefined = one; at !== undefined; at = parents.get(at)) if (at === pid) return true;
    return false;
  };
  return [...parents.keys()].filter(isWithin).flatMap((one) => factsOf(one) ?? []);
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function statOf(pid: number): Readonly<{ parent: number; cpuMs: number }> | null {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The name in brackets may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { parent: Number(fields[1]), cpuMs: (Number(fields[11]) + Number(fields[12])) * msPerTick };
}

function factsOf(pid: number): ProcessFacts | null {
  const stat = statOf(pid);
  const command = read(`/proc/${pid}/cmdline`);
  const share = /^Pss:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? '')?.[1];
  if (stat === null || command === null || share === undefined) return null;
  return { pid, command: command.replaceAll('\0', ' ').trim(), pssBytes: Number(share) * 1024, cpuMs: stat.cpuMs };
}

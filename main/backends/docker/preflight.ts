import type { EngineFacts } from './engineFacts.ts';
import type { ContainerIsolation } from './ports.ts';

const levelNames: Readonly<Record<ContainerIsolation, string>> = { container: 'runc', gvisor: 'gVisor', kata: 'Kata' };

/** Why this engine does not give an isolation level at all, as a sentence; null: it does. */
export function obstacle(facts: EngineFacts, isolation: ContainerIsolation): string | null {
  if (facts.osType !== 'linux') return 'The container engine runs Windows containers; sandboxes need Linux containers.';
  if (facts.runtimes[isolation] === undefined) {
    return `The container engine does not offer ${levelNames[isolation]}; it has to be added to its configuration.`;
  }
  if (isolation === 'container' && !facts.seccomp) {
    return 'The container engine has no seccomp, so a container would reach too much of the kernel; isolation container is not offered.';
  }
  return null;
}

/** What the owner should know about this engine, one sentence or two each. */
export function engineWarnings(facts: EngineFacts): readonly string[] {
  const { version, runcVersion, desktop, limits, cgroup } = facts;
  const warnings: string[] = [];
  // Podman and others answer with version numbers of their own.
  if (isOlder(version, [29, 4, 2])) {
    warnings.push(
      `Container engine ${version} is older than 29.4.2: containers other than sandboxes can reach a fault of the kernel (CVE-2026-31431). Update it.`,
    );
  }
  if (runcVersion !== null && isOldRunc(runcVersion)) {
    warnings.push(
      `runc ${runcVersion} is older than 1.2.8 and 1.3.3, which close ways out of a container (CVE-2025-31133, CVE-2025-52565, CVE-2025-52881). Update it, unless your distribution has repaired this version.`,
    );
  }
  if (desktop !== null && isOlder(desktop, [4, 44, 3])) {
    warnings.push(
      `Docker Desktop ${desktop} lets containers reach the engine itself (CVE-2025-9074, fixed in 4.44.3). Sandboxes have no network and cannot; other containers can. Update it.`,
    );
  } else if (desktop !== null && isOlder(desktop, [4, 59, 0])) {
    warnings.push(`Docker Desktop ${desktop} checks mounts incompletely (CVE-2026-6406, fixed in 4.59). Update it.`);
  }
  const missing = [
    ...(limits.memory ? [] : ['memory']),
    ...(limits.swap ? [] : ['swap']),
    ...(limits.cpu ? [] : ['processor time']),
    ...(limits.processes ? [] : ['processes']),
  ];
  if (missing.length > 0) {
    warnings.push(`The container engine cannot limit ${missing.join(', ')} here; a run may use all of it.`);
  }
  if (cgroup === '1') {
    warnings.push(
      'This machine limits containers with cgroup v1, which does not count the memory of network buffers; sandboxes have small ones. cgroup v2 counts it.',
    );
  }
  return [...warnings, ...isolationNotes(facts, 'gvisor')];
}

/** What an isolation level does not enforce with this engine; for the card and the list of sandboxes. */
export function isolationNotes(facts: EngineFacts, isolation: ContainerIsolation): readonly string[] {
  const runtime = facts.runtimes[isolation];
  if (isolation !== 'gvisor' || runtime === undefined) return [];
  const has = (flag: string): boolean => runtime.args.some((arg) => arg === flag || arg.startsWith(`${flag}=`));
  return [
    ...(has('--oci-seccomp')
      ? []
      : [
          "Under gVisor the sandbox's own filter of system calls (seccomp) is not in force; gVisor's kernel stands between the code and this machine.",
        ]),
    ...(has('--ignore-cgroups')
      ? [
          'gVisor is set up with --ignore-cgroups here, so limits of memory, processor time and processes are not enforced.',
        ]
      : []),
  ];
}

type Version = readonly [major: number, minor: number, patch: number];

function versionOf(text: string): Version | null {
  const [, major, minor, patch = '0'] = /^v?([0-9]+)\.([0-9]+)(?:\.([0-9]+))?/.exec(text) ?? [];
  return major === undefined || minor === undefined ? null : [Number(major), Number(minor), Number(patch)];
}

function isOlder(text: string, limit: Version): boolean {
  const version = versionOf(text);
  if (version === null) return false;
  const at = [0, 1, 2].find((index) => version[index] !== limit[index]);
  return at !== undefined && (version[at] ?? 0) < (limit[at] ?? 0);
}

function isOldRunc(text: string): boolean {
  if (/^1\.4\.0-rc\.?[12]\b/.test(text)) return true;
  return isOlder(text, [1, 2, 8]) || (text.startsWith('1.3.') && isOlder(text, [1, 3, 3]));
}

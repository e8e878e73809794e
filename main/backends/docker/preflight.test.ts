import { describe, expect, it } from 'vitest';
import { type EngineFacts, engineFacts, infoSchema, versionSchema } from './engineFacts.ts';
import { engineWarnings, isolationNotes, obstacle } from './preflight.ts';
import { infoOf } from './testing.ts';

function factsOf(
  info: Readonly<Record<string, unknown>> = {},
  version: Readonly<Record<string, unknown>> = {},
): EngineFacts {
  return engineFacts(infoSchema.parse(infoOf(info)), versionSchema.parse({ Version: '29.4.2', ...version }));
}

const runc = (version: string) => ({ Components: [{ Name: 'runc', Version: version }] });

describe('what is said about an engine', () => {
  it('is nothing when all is new and there', () => {
    expect(engineWarnings(factsOf())).toEqual([]);
  });

  it.each(['20.10.24+dfsg1', '28.2.2', '29.4.1', '29.3.9'])('is that engine %s is old', (version) => {
    expect(engineWarnings(factsOf({}, { Version: version }))).toEqual([expect.stringContaining(version)]);
  });

  it.each(['29.4.2', '29.10.0', '30.0.0-rc.1', 'dev'])('is nothing about engine %s', (version) => {
    expect(engineWarnings(factsOf({}, { Version: version }))).toEqual([]);
  });

  it.each(['1.1.5+ds1-1', '1.2.7', '1.3.0', '1.3.2', '1.4.0-rc.1', '1.4.0-rc.2'])(
    'is that runc %s is old',
    (version) => {
      expect(engineWarnings(factsOf({}, runc(version)))).toEqual([expect.stringContaining('CVE-2025-31133')]);
    },
  );

  it.each(['1.2.8', '1.2.9', '1.3.3', '1.4.0-rc.3', '1.4.0', '2.0.0'])('is nothing about runc %s', (version) => {
    expect(engineWarnings(factsOf({}, runc(version)))).toEqual([]);
  });

  it.each([
    ['4.44.2', 'CVE-2025-9074'],
    ['4.44.3', 'CVE-2026-6406'],
    ['4.58.1', 'CVE-2026-6406'],
  ])('is that Docker Desktop %s has %s', (version, cve) => {
    const facts = factsOf({}, { Platform: { Name: `Docker Desktop ${version} (202357)` } });
    expect(facts.desktop).toBe(version);
    expect(engineWarnings(facts)).toEqual([expect.stringContaining(cve)]);
  });

  it('is that cgroup v1 does not count everything', () => {
    expect(engineWarnings(factsOf({ CgroupVersion: '1' }))).toEqual([expect.stringContaining('cgroup v1')]);
  });

  it('is what it cannot limit', () => {
    const facts = factsOf({ SwapLimit: false, PidsLimit: false });
    expect(engineWarnings(facts)).toEqual([expect.stringContaining('cannot limit swap, processes')]);
  });
});

describe('the isolation levels of an engine', () => {
  it('are those whose runtimes it lists, by the names that it gives them', () => {
    const facts = factsOf({
      Runtimes: {
        runc: {},
        'my-runsc': { path: '/usr/local/bin/runsc', runtimeArgs: ['--platform=ptrace'] },
        'io.containerd.kata.v2': {},
      },
    });
    expect(facts.runtimes).toEqual({
      container: { name: 'runc', args: [] },
      gvisor: { name: 'my-runsc', args: ['--platform=ptrace'] },
      kata: { name: 'io.containerd.kata.v2', args: [] },
    });
    for (const isolation of ['container', 'gvisor', 'kata'] as const) expect(obstacle(facts, isolation)).toBeNull();
  });

  it('never give another runtime in the place of one that is missing', () => {
    const facts = factsOf();
    expect(obstacle(facts, 'gvisor')).toContain('does not offer gVisor');
    expect(obstacle(facts, 'kata')).toContain('does not offer Kata');
    expect(factsOf({ Runtimes: { crun: {} }, DefaultRuntime: 'crun' }).runtimes.container?.name).toBe('crun');
  });

  it('are none without Linux, and no plain container without seccomp', () => {
    expect(obstacle(factsOf({ OSType: 'windows' }), 'container')).toContain('Windows');
    const bare = factsOf({ SecurityOptions: [], Runtimes: { runc: {}, runsc: {} } });
    expect(obstacle(bare, 'container')).toContain('seccomp');
    expect(obstacle(bare, 'gvisor')).toBeNull();
  });

  it('say what gVisor does not enforce, by how it is started', () => {
    const withArgs = (...runtimeArgs: readonly string[]) => factsOf({ Runtimes: { runsc: { runtimeArgs } } });
    expect(isolationNotes(withArgs(), 'gvisor')).toEqual([expect.stringContaining('seccomp')]);
    expect(isolationNotes(withArgs('--ignore-cgroups'), 'gvisor')).toEqual([
      expect.stringContaining('seccomp'),
      expect.stringContaining('are not enforced'),
    ]);
    expect(isolationNotes(withArgs('--oci-seccomp=true'), 'gvisor')).toEqual([]);
    expect(isolationNotes(withArgs('--ignore-cgroups'), 'container')).toEqual([]);
  });
});

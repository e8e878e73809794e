import { describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { dockerRoom } from '../support/dockerRoom.ts';

/**
 * The cases of containers that hold under gVisor as well. Not played, because there is nothing of ours to show:
 *
 * | case | reason |
 * |---|---|
 * | H131-H134 | gVisor does not apply our profile (it would need --oci-seccomp); calls go to its own kernel |
 * | H138 | the same preflight as of containers |
 * | H141 | its /proc is made up, nothing of the machine is in it |
 * | I151-I153, I159 | with --ignore-cgroups, which the packaged version needs under cgroup v1, these limits are not enforced;
 *   the owner reads that on the card |
 */
const hasGvisor = inject('engine')?.gvisor === true;

describe.runIf(hasGvisor)('a container under gVisor', () => {
  const room = dockerRoom(['python'], 'gvisor');

  it('H135 has no capabilities and is nobody', async () => {
    const { stdout } = await room.python("print(open('/proc/self/status').read())");
    for (const name of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd']) {
      const value = new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(stdout)?.[1] ?? 'missing';
      expect([name, Number.parseInt(value, 16)]).toEqual([name, 0]);
    }
    expect(await room.probe('import json, os; print(json.dumps([os.getuid(), os.getgid()]))')).toEqual([65532, 65532]);
  });

  it('H137 A25 reaches no address at all', async () => {
    const answers = await room.probe(`
import json, os, socket
def tried(host, port):
    try: socket.create_connection((host, port), 2); return 'open'
    except OSError as error: return error.errno
print(json.dumps([tried('172.17.0.1', 2375), tried('169.254.169.254', 80), tried('192.0.2.1', 443), os.path.exists('/var/run/docker.sock')]))`);
    const [first, second, third, socketFile] = z.array(z.unknown()).parse(answers);
    for (const answer of [first, second, third]) expect([99, 101, 113]).toContain(answer);
    expect(socketFile).toBe(false);
  });

  it('H139 H140 writes nothing but its own folders', async () => {
    const answers = await room.probe(`
import json
def tried(file):
    try: open(file, 'a').close(); return 'written'
    except OSError as error: return error.errno
print(json.dumps([tried(file) for file in ['/etc/hosts', '/file', '/app/file', '/proc/sys/kernel/core_pattern', '/proc/1/mem']]))`);
    for (const answer of z.array(z.unknown()).parse(answers)) expect([1, 2, 13, 30]).toContain(answer);
  });

  it('H133 tracing and mounting get nowhere', async () => {
    const answers = await room.probe(`
import ctypes, json
libc = ctypes.CDLL(None, use_errno=True)
def tried(*args):
    ctypes.set_errno(0)
    return ctypes.get_errno() if libc.syscall(*args) == -1 else 0
print(json.dumps([tried(165, b'none', b'/tmp', b'tmpfs', 0, 0), tried(161, b'/tmp'), tried(321, 0, 0, 0), tried(425, 1, 0)]))`);
    for (const answer of z.array(z.number()).parse(answers)) expect(answer).not.toBe(0);
  });

  it('H147 two sandboxes at once share nothing', async () => {
    const code = `
import os, socket, time
listener = socket.socket(socket.AF_UNIX); listener.bind('\\0shared'); listener.listen()
tcp = socket.create_server(('127.0.0.1', 4000))
assert not os.path.exists('/tmp/mine')
open('/tmp/mine', 'w').close(); time.sleep(1)`;
    for (const { exit, stderr } of await Promise.all([room.python(code), room.python(code)])) {
      expect({ exit, stderr }).toEqual({ exit: { kind: 'exited', exitCode: 0 }, stderr: '' });
    }
  });

  it('I160 I161 what never ends is gone at the deadline', async () => {
    const { exit } = await room.python(
      'import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)',
      {
        timeoutMs: 700,
      },
    );
    expect(exit).toEqual({ kind: 'timed_out' });
  });

  it('J169 K178 code that stops or ends the runner only ends itself: the host keeps the time', async () => {
    // Under gVisor these signals work on PID 1, other than under runc.
    for (const signal of ['SIGSTOP', 'SIGKILL']) {
      const { exit } = await room.python(`import os, signal, time\nos.kill(1, signal.${signal})\ntime.sleep(600)`, {
        timeoutMs: 1500,
      });
      expect(['timed_out', 'broken']).toContain(exit.kind);
    }
    await room.backend().stop();
    expect(await room.engine().containersOf(room.house().installId)).toEqual([]);
  });
});

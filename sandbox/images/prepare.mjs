import {
  chmodSync,
  existsSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

/**
 * Runs as root while an image is built on a public one: takes away all programs but node and those that are named
 * (`path`, or `link=path` for a program under another name), the package managers with them, and gives node its mode.
 */
const node = '/usr/local/bin/node';
const user = 65532;

const wanted = process.argv.slice(2).map((argument) => argument.split('=').reverse());
const kept = new Set([node, ...wanted.map(([program]) => program)]);

const folders = ['/bin', '/sbin', '/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin'];
for (const folder of new Set(folders.filter(existsSync).map((name) => realpathSync(name)))) {
  for (const name of readdirSync(folder)) {
    const program = path.join(folder, name);
    if (!kept.has(program)) rmSync(program, { recursive: true });
  }
}
for (const leftover of ['/usr/local/lib/node_modules', '/opt', '/usr/lib/apt', '/usr/lib/dpkg']) {
  rmSync(leftover, { recursive: true, force: true });
}
for (const [program, link] of wanted) if (link !== undefined) symlinkSync(program, link);

// A changed mode copies the file into a new layer.
const mode = Number.parseInt(process.env.NODE_MODE, 8);
if ((statSync(node).mode & 0o777) !== mode) chmodSync(node, mode);

writeFileSync('/etc/passwd', `root:x:0:0:root:/:/nonexistent\nsandbox:x:${user}:${user}:sandbox:/tmp:/nonexistent\n`);
writeFileSync('/etc/group', `root:x:0:\nsandbox:x:${user}:\n`);
writeFileSync('/etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n');

import { canonicalJson, sha256Hex } from '../../../core/digest.ts';
import { imageBasis, type NpmFile } from '../imageBasis.ts';
import type { PinnedFile } from './npmPackages.ts';
import { ImageError, type ImageWish } from './ports.ts';

/** Machine architectures as Node names them, that images can be made for. */
export type Architecture = 'x64' | 'arm64';

/** Everything that one layer is made from; two plans with the same key make the same layer. */
export type LayerPlan = Readonly<{
  /** For people: `node`, `system libraries`. */
  label: string;
  /** SHA-256 (hex). */
  key: string;
  npm: readonly PinnedFile[];
  debian: readonly string[];
  /** Absolute path in the image -> bytes. */
  files: Readonly<Record<string, Uint8Array>>;
  /** Absolute paths of what may be executed; links are followed. */
  programs: readonly string[];
  programMode: number;
  /** Folders that are there although nothing is in them. */
  folders: readonly string[];
}>;

/** Moves when the steps of `layerBake.ts` make something else from the same plan. */
const layerFormat = 1;

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const { user } = imageBasis;
const accounts = {
  '/etc/passwd': text(`root:x:0:0:root:/:/nonexistent\nsandbox:x:${user}:${user}:sandbox:/tmp:/nonexistent\n`),
  '/etc/group': text(`root:x:0:\nsandbox:x:${user}:\n`),
  // Names are resolved by the proxy outside; inside there is only localhost.
  '/etc/nsswitch.conf': text('passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n'),
};

/**
 * The layers of an image, lowest first. What changes least stands lowest, so that all images share the first two and a
 * new runner is a new layer of some kilobytes. Throws ImageError when a package is not there for the architecture.
 */
export function layerPlans(wish: ImageWish, architecture: Architecture): readonly LayerPlan[] {
  const { row, variant } = wish;
  const plan = (label: string, parts: Partial<LayerPlan>): LayerPlan => {
    const whole = { npm: [], debian: [], files: {}, programs: [], programMode: 0o755, folders: [], ...parts };
    const files = Object.fromEntries(Object.entries(whole.files).map(([name, bytes]) => [name, sha256Hex(bytes)]));
    return { label, ...whole, key: sha256Hex(canonicalJson({ layerFormat, architecture, ...whole, files })) };
  };
  const node = pinned(imageBasis.node, architecture);
  const system = plan('system libraries', {
    debian: imageBasis.debian,
    files: accounts,
    programs: [architecture === 'x64' ? '/lib64/ld-linux-x86-64.so.2' : '/lib/ld-linux-aarch64.so.1'],
    folders: ['/app', '/dev', '/proc', '/sys', '/tmp'],
  });
  const runnerProgram = plan('node', {
    npm: [node],
    programs: [node.to],
    programMode: variant === 'sealed' ? 0o711 : 0o755,
  });
  const npm = row.image.npm.map((file) => pinned(file, architecture));
  const hasOwnProgram = npm.length > 0 || row.image.debian.length > 0;
  const program = row.command[0] ?? '';
  const runtime = plan(row.runtime, {
    npm,
    debian: row.image.debian,
    programs: [...new Set([...npm.map(({ to }) => to), program])],
  });
  const runner = plan('runner', { files: { ...wish.own, [imageBasis.runner]: wish.runner.bytes } });
  return [system, runnerProgram, ...(hasOwnProgram ? [runtime] : []), runner];
}

function pinned(file: NpmFile, architecture: Architecture): PinnedFile {
  const found = file.package[architecture];
  if (found === undefined)
    throw new ImageError(`${file.to} is in no package for this kind of processor (${architecture})`);
  return { ...found, from: file.from, to: file.to };
}

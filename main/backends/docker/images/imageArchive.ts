import type { Readable } from 'node:stream';
import { packTar, type TarSource } from 'modern-tar/fs';
import { sha256Hex } from '../../../core/digest.ts';
import { imageDefaults, imageLabels, imageTag } from './imageLabels.ts';
import type { Architecture } from './layerPlan.ts';
import { imageTime } from './layerTar.ts';
import type { ImageWish } from './ports.ts';

/** A finished layer: `file` is its tar archive, `diffId` the digest of that (`sha256:…`). */
export type Layer = Readonly<{ label: string; file: string; diffId: string; size: number }>;

/** An image as the engine loads it. Its id is known before: it is the digest of `config`. */
export type ImageArchive = Readonly<{ id: string; tag: string; config: string; layers: readonly Layer[] }>;

/** The names that Docker gives to architectures. */
export const engineArchitecture: Readonly<Record<Architecture, string>> = { x64: 'amd64', arm64: 'arm64' };

/** Pure: the same layers and wish give the same id (image-spec v1.2, saved by engines as it came). */
export function imageArchive(wish: ImageWish, architecture: Architecture, layers: readonly Layer[]): ImageArchive {
  const created = imageTime.toISOString();
  const config = JSON.stringify({
    architecture: engineArchitecture[architecture],
    config: { ...imageDefaults, Labels: imageLabels(wish) },
    created,
    history: layers.map(({ label }) => ({ created, created_by: `oauth3: ${label}` })),
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  });
  return { id: `sha256:${sha256Hex(config)}`, tag: imageTag(wish), config, layers };
}

/** The archive that `docker load` takes. The caller destroys the stream when it is not read to its end. */
export function archiveStream(archive: ImageArchive): Readable {
  const owned = { mtime: imageTime, uid: 0, gid: 0, mode: 0o644 };
  const configName = `${archive.id.slice('sha256:'.length)}.json`;
  const layerName = (layer: Layer): string => `${layer.diffId.slice('sha256:'.length)}/layer.tar`;
  const manifest = [{ Config: configName, RepoTags: [archive.tag], Layers: archive.layers.map(layerName) }];
  const sources: TarSource[] = [
    { type: 'content', content: archive.config, target: configName, ...owned },
    { type: 'content', content: JSON.stringify(manifest), target: 'manifest.json', ...owned },
    ...archive.layers.map(
      (layer): TarSource => ({ type: 'file', source: layer.file, target: layerName(layer), ...owned }),
    ),
  ];
  return packTar(sources);
}

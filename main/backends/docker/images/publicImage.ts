import { ImageError } from './ports.ts';

/** A public image, held to its content: whoever moves a tag or owns the registry cannot change what it is. */
export type PublicImage = Readonly<{
  /** `docker.io/library/node`: registry and name, without a tag. */
  name: string;
  /** `sha256:…` of the list of its platforms. */
  digest: string;
  /** As the engine takes it: name and digest. */
  reference: string;
  /** For people: `node:24.21.0-bookworm-slim`. */
  label: string;
}>;

const pattern =
  /^(?<name>[a-z0-9][a-z0-9.:-]*(?:\/[a-z0-9][a-z0-9._-]*)+)(?::(?<tag>[\w.-]+))?@(?<digest>sha256:[0-9a-f]{64})$/;

/**
 * Reads `registry/name:tag@sha256:…`; the tag is there for readers only. Throws ImageError for a reference without a
 * digest, or without a registry: an engine would look for that one wherever it is told to.
 */
export function publicImage(text: string): PublicImage {
  const { name, tag, digest } = pattern.exec(text)?.groups ?? {};
  if (name === undefined || digest === undefined)
    throw new ImageError(`${text} does not name a public image by digest`);
  const last = name.split('/').at(-1) ?? name;
  return { name, digest, reference: `${name}@${digest}`, label: tag === undefined ? last : `${last}:${tag}` };
}

/** Whether one of an image's `RepoDigests` is this one; engines leave out what they take for granted. */
export function isAmong({ name, digest }: PublicImage, repoDigests: readonly string[]): boolean {
  const wanted = `${familiar(name)}@${digest}`;
  return repoDigests.some((entry) => familiar(entry) === wanted);
}

const familiar = (name: string): string => name.replace(/^docker\.io\//, '').replace(/^library\//, '');

import type { Runtime } from '../../../contract/runtime.ts';

/** A file out of an npm package that goes into an image. */
export type NpmFile = Readonly<{
  /** `name@version`, by the machine's architecture as Node names it. */
  package: Readonly<Partial<Record<'x64' | 'arm64', Readonly<{ spec: string; integrity: string }>>>>;
  /** Path inside the package. */
  from: string;
  /** Absolute path inside the image. */
  to: string;
  mode: number;
}>;

/** How code gets from a job to a process, and what the process is made of. */
export type RuntimeRow = Readonly<{
  runtime: Runtime;
  image: Readonly<{
    /** Below sandbox/images/: how the image is built on public images. */
    dockerfile: string;
    /** Build argument -> public image by digest. */
    publicImages: Readonly<Record<string, string>>;
    /** For a machine that reaches no registry of images: from packages, besides what all images share. */
    npm: readonly NpmFile[];
    debian: readonly string[];
    /** Files of our own besides the runner: path below out/sandbox/ -> absolute path inside the image. */
    own: Readonly<Record<string, string>>;
  }>;
  /** argv; the code stands in `codeFile`, which is one of them. */
  command: readonly string[];
  codeFile: string;
  /** Besides the proxy and certificate settings that every job gets. */
  env: Readonly<Record<string, string>>;
}>;

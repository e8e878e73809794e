import type { Isolation, Runtime } from '../../../contract/runtime.ts';
import type { ProxyFrontEnd } from '../../core/door.ts';
import type { BackendStatus } from '../../runs/backend.ts';

/** Isolation levels that a container engine gives. */
export type ContainerIsolation = Exclude<Isolation, 'embedded'>;

/** Makes the front end of one sandbox; wired to `egress/`. */
export type MakeFrontEnd = () => Promise<ProxyFrontEnd>;

/** An image that may carry runs. `id` is the engine's (`sha256:…`): containers are made from it, never from a tag. */
export type SandboxImage = Readonly<{ id: string; recipe: string }>;

/** The images of one isolation level, and how far they are. */
export interface SandboxImages {
  readonly runtimes: readonly Runtime[];
  status(runtime: Runtime, isolation: ContainerIsolation): BackendStatus;
  /** Null while it is not made. */
  image(runtime: Runtime, isolation: ContainerIsolation): SandboxImage | null;
  /** `recipe:<sha256>`: names everything the image is made from, before it is made. */
  recipe(runtime: Runtime, isolation: ContainerIsolation): string;
  /** Makes it unless it is there or being made. After a failure it is tried again at most once a minute. */
  prepare(runtime: Runtime, isolation: ContainerIsolation): void;
  /** Reads again which images the engine has. Throws EngineError. */
  refresh(): Promise<void>;
  onChange(listener: () => void): () => void;
}

import type { z } from 'zod';
import { defaultLimits, type ExecuteBody, MAX_ARGS_BYTES, metadataSchema } from '../../contract/bridge.ts';
import { CodedError } from '../../contract/errors.ts';
import { plainWords } from '../../contract/plainWords.ts';
import { type Isolation, type Runtime, strongerIsolation } from '../../contract/runtime.ts';
import type { CommentTags } from './commentTags.ts';
import { canonicalJson } from './digest.ts';
import { type HostRule, HostSyntaxError, parseNetworkEntry } from './host.ts';
import type { ManifestLimits } from './manifestTypes.ts';
import { sortRules } from './networkRules.ts';
import { checkSecretName } from './secretRules.ts';

/** What an agent wants, with every gap filled and every field checked; says nothing about what we have. */
export type RequestPlan = Readonly<{
  skillId: string;
  skillUrl: string;
  description: string;
  secretNames: readonly string[];
  network: readonly HostRule[];
  runtime: Runtime;
  minimumIsolation: Isolation;
  limits: ManifestLimits;
  argsJson: string;
}>;

export type PlanContext = Readonly<{
  /** The owner's default. */
  runtime: Runtime;
  /** The owner's: a request may ask for a stronger one, never for a weaker. */
  minimumIsolation: Isolation;
  /** Names that the owner declared as local services. */
  localNames: ReadonlySet<string>;
}>;

const field = metadataSchema.shape;

/**
 * Fills a validated body: body first, then its metadata, then comment tags for what is still missing, then defaults.
 * Throws CodedError `invalid_request` or `too_large`; nothing is clamped.
 */
export function planRequest(body: ExecuteBody, tags: CommentTags, context: PlanContext): RequestPlan {
  const metadata = body.metadata ?? {};
  const runtime = metadata.runtime ?? fromTag('runtime', field.runtime, tags.runtime) ?? context.runtime;
  const timeout = metadata.timeout ?? fromTag('timeout', field.timeout, tags.timeout) ?? defaultLimits.timeoutSeconds;
  return {
    skillId: body.skill_id,
    skillUrl: body.skill_url === undefined ? '' : readSkillUrl(body.skill_url),
    description: metadata.description ?? fromTag('description', field.description, tags.description) ?? '',
    secretNames: readSecretNames(body, tags),
    network: readNetwork(metadata.network ?? fromTag('network', field.network, tags.network) ?? [], context.localNames),
    runtime,
    minimumIsolation: strongerIsolation(
      metadata.isolation ?? (runtime === 'quickjs' ? 'embedded' : 'container'),
      context.minimumIsolation,
    ),
    limits: {
      timeoutMs: Math.round(timeout * 1000),
      memoryMb: metadata.memory_mb ?? defaultLimits.memoryMb,
      cpus: metadata.cpus ?? defaultLimits.cpus,
    },
    argsJson: readArgs(body.args),
  };
}

function invalid(path: string, message: string): CodedError {
  return new CodedError('invalid_request', `${path}: ${message}`, { details: [{ path, message }] });
}

/** A tag passes the same check as the field that it fills. */
function fromTag<Value>(tag: string, schema: z.ZodType<Value | undefined>, value: unknown): Value | undefined {
  const parsed = schema.safeParse(value, { error: plainWords });
  if (parsed.success) return parsed.data;
  throw invalid(`code, comment tag @${tag}`, parsed.error.issues[0]?.message ?? 'is not valid');
}

function readSecretNames(body: ExecuteBody, tags: CommentTags): readonly string[] {
  const inMetadata = body.metadata?.secrets;
  if (body.secrets !== undefined && inMetadata !== undefined && !sameSet(body.secrets, inMetadata)) {
    throw invalid('metadata.secrets', 'must name the same secrets as `secrets`');
  }
  const names = body.secrets ?? inMetadata ?? fromTag('secrets', field.secrets, tags.secrets) ?? [];
  for (const name of names) {
    const verdict = checkSecretName(name);
    if (!verdict.ok) throw invalid('secrets', verdict.reason);
  }
  return [...new Set(names)].sort();
}

function sameSet(left: readonly string[], right: readonly string[]): boolean {
  const names = new Set(left);
  return names.size === new Set(right).size && right.every((name) => names.has(name));
}

function readNetwork(entries: readonly string[], localNames: ReadonlySet<string>): readonly HostRule[] {
  const rules = entries.map((entry, index) => {
    try {
      return parseNetworkEntry(entry, { localNames });
    } catch (error) {
      if (error instanceof HostSyntaxError) throw invalid(`metadata.network.${index}`, error.reason);
      throw error;
    }
  });
  return sortRules(rules);
}

/** The address of a skill's code in the one form that is shown and fetched. Throws CodedError `invalid_request`. */
export function readSkillUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.protocol !== 'https:' || url.username !== '' || url.password !== '') {
    throw invalid('skill_url', 'must be an https URL without user name');
  }
  return url.href;
}

function readArgs(args: ExecuteBody['args']): string {
  // No arguments and empty ones are the same.
  const json = canonicalJson(args ?? {});
  if (Buffer.byteLength(json) > MAX_ARGS_BYTES) {
    throw new CodedError('too_large', `args: at most ${MAX_ARGS_BYTES / 1024} KiB of JSON`);
  }
  return json;
}

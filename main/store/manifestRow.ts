import { z } from 'zod';
import { isolationSchema, runtimeSchema } from '../../contract/runtime.ts';
import { deliverySchema } from '../../contract/states.ts';
import type { Manifest } from '../core/manifestTypes.ts';

export const placesSchema = z.strictObject({
  headers: z.array(z.string()),
  query: z.array(z.string()),
  path: z.boolean(),
  json: z.array(z.string()),
  form: z.array(z.string()),
});

const hostRuleSchema = z.strictObject({ host: z.string(), port: z.number(), ws: z.literal(true).exactOptional() });

// Strict objects: a field that is not known here would be dropped, and the digest with it.
const manifestSchema: z.ZodType<Manifest> = z.strictObject({
  version: z.literal(1),
  agentId: z.string(),
  skillId: z.string(),
  shown: z.strictObject({
    description: z.string(),
    skillUrl: z.string(),
    fetchedFrom: z.string().exactOptional(),
  }),
  code: z.strictObject({ sha256: z.string(), length: z.number() }),
  runtime: runtimeSchema,
  isolation: z.strictObject({ minimum: isolationSchema, actual: isolationSchema }),
  args: z.strictObject({ sha256: z.string(), json: z.string() }),
  secrets: z.array(
    z.strictObject({
      name: z.string(),
      secretId: z.string().nullable(),
      version: z.number(),
      delivery: deliverySchema,
      bindingRevision: z.number(),
      hosts: z.array(hostRuleSchema),
      binding: z.enum(['owner', 'request', 'none']),
      places: placesSchema,
    }),
  ),
  network: z.array(hostRuleSchema),
  limits: z.strictObject({ timeoutMs: z.number(), memoryMb: z.number(), cpus: z.number() }),
  traffic: z
    .strictObject({ requests: z.number(), open: z.number(), bytesIn: z.number(), bytesOut: z.number() })
    .exactOptional(),
  carrier: z.strictObject({ image: z.string(), runner: z.string(), seccomp: z.string() }),
});

/** The stored manifest, or null when it is of a version that this app does not know. */
export function parseManifest(json: string): Manifest | null {
  const parsed = manifestSchema.safeParse(JSON.parse(json));
  return parsed.success ? parsed.data : null;
}

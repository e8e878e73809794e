import { z } from 'zod';
import { sandboxLimits } from './sandboxLimits.ts';

/**
 * What the broker and a QuickJS child say to each other. The child is believed in nothing: each of its messages is
 * parsed with `childMessageSchema`, and one that does not fit ends the run.
 */
const exchangeId = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);

const headerPairs = z
  .array(z.tuple([z.string(), z.string()]))
  .max(sandboxLimits.headerPairs)
  .refine(
    (pairs) => pairs.reduce((sum, [name, value]) => sum + name.length + value.length, 0) <= sandboxLimits.headersLength,
    'headers are too large',
  );

const piece = (mostBytes: number) =>
  z.custom<Uint8Array>(
    (bytes) => bytes instanceof Uint8Array && bytes.byteLength > 0 && bytes.byteLength <= mostBytes,
    `1 to ${mostBytes} bytes`,
  );

const byteCount = (most: number) => z.number().int().min(0).max(most);

/** How the code ended, as the child tells it; a child that ends without telling is broken or was killed. */
export const childOutcomeSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('exited'), exitCode: z.number().int().min(0).max(255) }),
  z.strictObject({ kind: z.literal('timed_out') }),
  z.strictObject({ kind: z.literal('out_of_memory') }),
  z.strictObject({ kind: z.literal('crashed') }),
]);
export type ChildOutcome = z.infer<typeof childOutcomeSchema>;

export const childMessageSchema = z.discriminatedUnion('type', [
  /** The child has loaded everything and can take its one job. */
  z.strictObject({ type: z.literal('ready') }),
  z.strictObject({
    type: z.literal('output'),
    fd: z.union([z.literal(1), z.literal(2)]),
    bytes: piece(sandboxLimits.outputPieceBytes),
  }),
  z.strictObject({
    type: z.literal('fetch'),
    id: exchangeId,
    method: z.string().min(1).max(64),
    url: z.string().max(sandboxLimits.urlLength),
    headers: headerPairs,
    /** Bytes of `body` messages that follow at once; null when there is no body. */
    bodyBytes: byteCount(sandboxLimits.requestBodyBytes).nullable(),
  }),
  z.strictObject({ type: z.literal('body'), id: exchangeId, bytes: piece(sandboxLimits.bodyPieceBytes) }),
  /** The code has consumed this many bytes of the response body: so many more may be sent. */
  z.strictObject({ type: z.literal('credit'), id: exchangeId, count: byteCount(sandboxLimits.bodyPieceBytes) }),
  z.strictObject({ type: z.literal('cancel'), id: exchangeId }),
  z.strictObject({ type: z.literal('exit'), outcome: childOutcomeSchema }),
]);
export type ChildMessage = z.infer<typeof childMessageSchema>;

/** What the host says. The child trusts it, so these are types without a schema. */
export type HostMessage =
  | Readonly<{
      type: 'job';
      /** The approved code, UTF-8; absent when it is empty. */
      bytes?: Uint8Array;
      env: Readonly<Record<string, string>>;
      limits: Readonly<{ timeoutMs: number; memoryMb: number }>;
    }>
  | Readonly<{ type: 'output_taken'; fd: 1 | 2; count: number }>
  | Readonly<{
      type: 'response';
      id: number;
      status: number;
      statusText: string;
      headers: readonly (readonly [string, string])[];
    }>
  | Readonly<{ type: 'chunk'; id: number; bytes: Uint8Array }>
  | Readonly<{ type: 'end'; id: number }>
  | Readonly<{ type: 'failed'; id: number; message: string }>;

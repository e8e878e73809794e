import { z } from 'zod';
import { auditFilterSchema, auditFormatSchema, auditQuerySchema } from './audit.ts';
import { secretNameSchema } from './bridge.ts';
import type { ErrorBody } from './errors.ts';
import type {
  AgentCreated,
  AgentView,
  AuditRow,
  LocalServiceView,
  OwnerActions,
  RequestDetail,
  RequestRow,
  SandboxView,
  SecretView,
  StatusView,
  TrustView,
} from './owner.ts';
import { isolationSchema, runtimeSchema } from './runtime.ts';
import { requestStateSchema } from './states.ts';

/**
 * The owner's local socket: one JSON message a line. The client sends `{id, command, params}`; the server answers any
 * number of `{id, part}` for a command that streams, then `{id, ok: true, value}` or `{id, ok: false, error}`.
 * There is no command that approves.
 */
type Command<Params extends z.ZodType, Value> = Readonly<{ params: Params; value?: Value }>;

/** One command: its parameters as a schema, its value as a type. */
const command =
  <Value>() =>
  <Params extends z.ZodType>(params: Params): Command<Params, Value> => ({ params });

type List<Row> = Readonly<{ items: readonly Row[] }>;
type Value<Name extends keyof OwnerActions> = Awaited<ReturnType<OwnerActions[Name]>>;

const none = z.strictObject({});
const text = z.string().min(1).max(300);
/** The owner's own texts: bounded so that one line stays small, judged by the action itself. */
const secretValue = z.string().max(65_536);
const places = {
  headers: z.array(text).max(32).optional(),
  query: z.array(text).max(32).optional(),
  path: z.boolean().optional(),
  json: z.array(text).max(32).optional(),
  form: z.array(text).max(32).optional(),
};

export const controlCommands = {
  status: command<StatusView>()(none),
  'agent.add': command<AgentCreated>()(z.strictObject({ name: text })),
  'agent.list': command<List<AgentView>>()(none),
  'agent.pause': command<null>()(z.strictObject({ name: text, paused: z.boolean() })),
  'agent.rotate': command<AgentCreated>()(z.strictObject({ name: text })),
  'agent.revoke': command<null>()(z.strictObject({ name: text })),
  'secret.add': command<SecretView>()(
    z.strictObject({
      name: secretNameSchema,
      value: secretValue,
      hosts: z.array(text).max(64).optional(),
      ...places,
      raw: z.boolean().optional(),
      replace: z.boolean().optional(),
    }),
  ),
  'secret.bind': command<SecretView>()(
    z.strictObject({ name: secretNameSchema, hosts: z.array(text).max(64), ...places }),
  ),
  'secret.rotate': command<SecretView>()(
    z.strictObject({ name: secretNameSchema, value: secretValue, keep_trust: z.boolean() }),
  ),
  'secret.list': command<List<SecretView>>()(none),
  'secret.remove': command<null>()(z.strictObject({ name: secretNameSchema })),
  'host.add': command<LocalServiceView>()(z.strictObject({ entry: text })),
  'host.list': command<List<LocalServiceView>>()(none),
  'host.remove': command<null>()(z.strictObject({ name: text })),
  'trust.list': command<List<TrustView>>()(none),
  'trust.revoke': command<null>()(z.strictObject({ id: text })),
  'trust.revoke_all': command<Readonly<{ revoked: number }>>()(none),
  'requests.list': command<List<RequestRow>>()(
    z.strictObject({ status: requestStateSchema.optional(), limit: z.number().int().min(1).max(1000).optional() }),
  ),
  'requests.show': command<RequestDetail>()(z.strictObject({ id: text })),
  'audit.list': command<List<AuditRow>>()(auditQuerySchema),
  'audit.verify': command<Value<'verifyAudit'>>()(none),
  /** Streams: each part is a piece of the file. */
  'audit.export': command<null>()(auditFilterSchema.extend({ format: auditFormatSchema })),
  /** Streams: each part is a sentence about what is being done. */
  images: command<List<SandboxView>>()(
    z.strictObject({ runtimes: z.array(runtimeSchema).max(16), isolation: isolationSchema }),
  ),
  'settings.list': command<List<Readonly<{ key: string; value: unknown }>>>()(none),
  'settings.get': command<Readonly<{ key: string; value: unknown }>>()(z.strictObject({ key: text })),
  'settings.set': command<Readonly<{ key: string; value: unknown }>>()(z.strictObject({ key: text, value: z.json() })),
  unlock: command<null>()(z.strictObject({ passphrase: z.string().min(1).max(4096) })),
  lock: command<null>()(none),
  pause: command<null>()(none),
  resume: command<null>()(none),
  panic: command<Value<'panic'>>()(none),
  'wake.test': command<Value<'wakeTest'>>()(none),
} as const;

export type ControlCommand = keyof typeof controlCommands;
export type ControlParams<Name extends ControlCommand> = z.infer<(typeof controlCommands)[Name]['params']>;
export type ControlValue<Name extends ControlCommand> = Exclude<(typeof controlCommands)[Name]['value'], undefined>;

export function isControlCommand(name: string): name is ControlCommand {
  return Object.hasOwn(controlCommands, name);
}

export const controlRequestSchema = z.strictObject({
  id: z.number().int().min(1),
  command: z.string().max(100),
  params: z.unknown(),
  /** Windows only: what the token file holds. */
  token: z.string().max(200).optional(),
});

export const controlErrorSchema = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
  details: z.unknown().optional(),
});

export const controlAnswerSchema = z.union([
  z.strictObject({ id: z.number(), part: z.string() }),
  z.strictObject({ id: z.number(), ok: z.literal(true), value: z.unknown() }),
  z.strictObject({ id: z.number(), ok: z.literal(false), error: controlErrorSchema }),
]);
export type ControlAnswer =
  | Readonly<{ id: number; part: string }>
  | Readonly<{ id: number; ok: true; value: unknown }>
  | Readonly<{ id: number; ok: false; error: ErrorBody['error'] }>;

/** Longest line in either direction, in bytes; a longer one ends the connection. */
export const maxControlLine = 8 * 1024 * 1024;

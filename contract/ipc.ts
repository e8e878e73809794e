import { z } from 'zod';
import {
  type AuditDetail,
  type AuditExported,
  type AuditLine,
  type AuditValues,
  type AuditVerdict,
  type AuditWork,
  auditFilterSchema,
  auditFormatSchema,
  auditQuerySchema,
  auditValuesSchema,
  type Statistics,
} from './audit.ts';
import { agentTokenShape, secretNameSchema } from './bridge.ts';
import type { Card, CardOutcome } from './card.ts';
import { type EnvFile, type EnvImported, envImportSchema } from './envImport.ts';
import type { ErrorBody } from './errors.ts';
import type {
  AgentCreated,
  AgentView,
  LocalServiceView,
  RequestDetail,
  RequestRow,
  SecretView,
  StatusView,
  TrustView,
} from './owner.ts';
import { isolationSchema, runtimeSchema } from './runtime.ts';
import {
  type Exchanges,
  type RunDetail,
  type RunPage,
  type RunPulse,
  runExchangesInput,
  runInput,
  runsInput,
  runTextInput,
  type TextRows,
} from './runView.ts';
import { type SettingKey, type Settings, settingKeys } from './settings.ts';
import { requestStateSchema, subjectSchema, type VaultState, verdictSchema } from './states.ts';
import { type TelegramView, telegramChatInput, telegramInviteInput, telegramTokenInput } from './telegramView.ts';

/**
 * The one IPC contract. Each view has its own calls and events; main's handlers, the preload bridges and the renderer
 * types are all derived from these objects, so adding a call is one line here and one handler. The window view can
 * look and manage; only the decision view can decide.
 */
export type CallSpec<Input extends z.ZodType, Output> = Readonly<{ input: Input; output: (value: Output) => void }>;
export type EventSpec<Payload> = Readonly<{ payload: (value: Payload) => void }>;

const untyped = (): void => undefined;
function call<Output>() {
  return <Input extends z.ZodType>(input: Input): CallSpec<Input, Output> => ({ input, output: untyped });
}
function event<Payload>(): EventSpec<Payload> {
  return { payload: untyped };
}

const nothing = z.null();
const nameInput = z.strictObject({ name: z.string().min(1).max(128) });
const idInput = z.strictObject({ id: z.string().min(1).max(128) });
const hosts = z.array(z.string().min(1).max(300)).max(64);
const secretValue = z.string().min(1).max(65_536);
const names = z.array(z.string().min(1).max(300)).max(32).exactOptional();
const places = { hosts, headers: names, query: names, path: z.boolean().exactOptional(), json: names, form: names };

const cardKey = { subject: subjectSchema, id: z.string().max(128) };

/** Waiting subjects as the list beside the decision view shows them: enough to pick one, nothing to press. */
export type WaitingRow = Readonly<Pick<Card, 'subject' | 'id' | 'sentence' | 'createdAtMs' | 'expiresAtMs'>>;

/** What the whole window shows about the app at every moment; pushed whenever something changes while it is open. */
export type DeskSnapshot = Readonly<{
  waiting: readonly WaitingRow[];
  running: number;
  paused: boolean;
  vault: VaultState;
  /** What is being made for the sandbox, in a sentence; null when nothing is. */
  preparing: string | null;
}>;

/** How things stand, where the decision view is, and the run that the owner chose before there was a page. */
export type Opening = Readonly<{ desk: DeskSnapshot; place: DecisionPlace | null; run: string | null }>;

export type CardKey = Readonly<Pick<Card, 'subject' | 'id'>>;
export type DecisionPlace = Readonly<{ x: number; y: number; width: number; height: number; card: CardKey }>;

export const windowIpc = {
  calls: {
    status: call<StatusView>()(nothing),
    /** What a page that has just loaded has missed. */
    opening: call<Opening>()(nothing),
    /** Refused with `already_decided` when that card does not wait any more. */
    showCard: call<void>()(z.strictObject(cardKey).nullable()),
    agents: call<readonly AgentView[]>()(nothing),
    addAgent: call<AgentCreated>()(nameInput),
    pauseAgent: call<void>()(z.strictObject({ name: z.string(), paused: z.boolean() })),
    rotateAgent: call<AgentCreated>()(nameInput),
    revokeAgent: call<void>()(nameInput),
    /** Puts it into the clipboard for a minute. Nothing but the token of an agent goes there. */
    copyToken: call<void>()(z.strictObject({ token: z.string().regex(agentTokenShape) })),
    secrets: call<readonly SecretView[]>()(nothing),
    addSecret: call<SecretView>()(
      z.strictObject({
        name: secretNameSchema,
        value: secretValue,
        ...places,
        raw: z.boolean().exactOptional(),
        replace: z.boolean().exactOptional(),
      }),
    ),
    bindSecret: call<SecretView>()(z.strictObject({ name: secretNameSchema, ...places })),
    rotateSecret: call<SecretView>()(
      z.strictObject({ name: secretNameSchema, value: secretValue, keepTrust: z.boolean() }),
    ),
    removeSecret: call<void>()(nameInput),
    /** Asks the owner for a `.env` file; main keeps its values until they are imported or forgotten. Null: none chosen. */
    chooseEnvFile: call<EnvFile | null>()(nothing),
    importEnv: call<EnvImported>()(envImportSchema),
    forgetEnvFile: call<void>()(nothing),
    trust: call<readonly TrustView[]>()(nothing),
    revokeTrust: call<void>()(idInput),
    revokeAllTrust: call<number>()(nothing),
    requests: call<readonly RequestRow[]>()(
      z.strictObject({
        status: requestStateSchema.exactOptional(),
        limit: z.number().int().min(1).max(500).exactOptional(),
      }),
    ),
    requestDetail: call<RequestDetail>()(idInput),
    /** Begins to make what is missing; `status` tells how it goes. */
    prepareSandbox: call<void>()(z.strictObject({ runtime: runtimeSchema, isolation: isolationSchema })),
    extendRequest: call<void>()(z.strictObject({ id: z.string(), minutes: z.number().int().min(1).max(1440) })),
    killRun: call<void>()(idInput),
    runs: call<RunPage>()(runsInput),
    run: call<RunDetail>()(runInput),
    runText: call<TextRows>()(runTextInput),
    runExchanges: call<Exchanges>()(runExchangesInput),
    /** `runOutput` tells how that run comes along, while the window is in sight; null: no run is open any more. */
    watchRun: call<void>()(runInput.nullable()),
    audit: call<readonly AuditLine[]>()(auditQuerySchema),
    auditEvent: call<AuditDetail>()(z.strictObject({ seq: z.number().int().min(1) })),
    auditValues: call<AuditValues>()(auditValuesSchema),
    /** `auditWork` tells how far it is. */
    verifyAudit: call<AuditVerdict>()(nothing),
    /** Asks the owner for a file. Null: none chosen. */
    exportAudit: call<AuditExported>()(z.strictObject({ format: auditFormatSchema, filter: auditFilterSchema })),
    cancelAudit: call<void>()(z.strictObject({ job: z.enum(['verify', 'export']) })),
    statistics: call<Statistics>()(z.strictObject({ days: z.number().int().min(1).max(366) })),
    sampleRequest: call<Readonly<{ request_id: string }>>()(nothing),
    settings: call<Settings>()(nothing),
    /** Those that the environment sets: they cannot be changed here. */
    environmentSettings: call<readonly SettingKey[]>()(nothing),
    setSetting: call<void>()(z.strictObject({ key: z.enum(settingKeys), value: z.json() })),
    localServices: call<readonly LocalServiceView[]>()(nothing),
    addLocalService: call<LocalServiceView>()(z.strictObject({ entry: z.string().max(300) })),
    removeLocalService: call<void>()(nameInput),
    /** Empty for a vault that has no passphrase: it opens with its keyring. */
    unlock: call<void>()(z.strictObject({ passphrase: z.string().max(1024) })),
    lock: call<void>()(nothing),
    setPassphrase: call<void>()(z.strictObject({ passphrase: z.string().min(8).max(1024) })),
    pause: call<void>()(nothing),
    resume: call<void>()(nothing),
    quit: call<void>()(nothing),
    panic: call<Readonly<{ runs_stopped: number; trust_revoked: number; agents_paused: number }>>()(nothing),
    wakeTest: call<Readonly<{ ok: boolean; detail: string }>>()(nothing),
    telegram: call<TelegramView>()(nothing),
    telegramConnect: call<void>()(telegramTokenInput),
    telegramInvite: call<void>()(telegramInviteInput),
    telegramCancelInvite: call<void>()(nothing),
    /** Main asks the owner in a dialog of its own first; false: the owner said no. */
    telegramAdmit: call<boolean>()(telegramChatInput),
    telegramRemove: call<void>()(telegramChatInput),
    telegramTest: call<void>()(nothing),
    telegramDisconnect: call<void>()(nothing),
  },
  events: {
    /** Something changed: how things stand now. A page reads again what else it shows. */
    changed: event<DeskSnapshot>(),
    /** The owner asked for this card elsewhere (notification, tray): show the list of waiting requests beside it. */
    openCard: event<CardKey>(),
    /** The owner chose this run in the tray. */
    openRun: event<Readonly<{ id: string }>>(),
    /** The run that is watched has come further. */
    runOutput: event<RunPulse>(),
    /** How far the check or the export of the audit log is. */
    auditWork: event<AuditWork>(),
    /** Where main has put the decision view over this window, in CSS pixels; null while none is shown. */
    decisionPlace: event<DecisionPlace | null>(),
  },
} as const;

/**
 * What the decision view shows: one card, or how it ended. `armsInMs` 0: its buttons work now; null: the card is not in
 * front of the owner (not drawn yet, or its window has not the focus), so no time runs. `turn` is another one each time a
 * card is put into the view. `locked`: the vault is, so nothing can be approved. `pause`: the owner denied this agent three
 * times in a row and may pause it.
 */
export type DecisionState =
  | Readonly<{ kind: 'card'; card: Card; turn: number; armsInMs: number | null; locked: boolean }>
  | Readonly<{ kind: 'ended'; key: CardKey; sentence: Card['sentence']; outcome: CardOutcome; pause?: PauseOffer }>;

export type PauseOffer = Readonly<{ agent: string; done: boolean }>;

export const decisionIpc = {
  calls: {
    current: call<DecisionState | null>()(nothing),
    /** The card of this turn is on the screen now. */
    drawn: call<void>()(z.strictObject({ turn: z.number().int() })),
    decide: call<Readonly<{ ok: boolean; text: string }>>()(
      z.strictObject({
        ...cardKey,
        revision: z.string().max(128),
        verdict: verdictSchema,
        argsPolicy: z.enum(['exact', 'any']).exactOptional(),
        reason: z.string().max(500).exactOptional(),
      }),
    ),
    confirmBinding: call<void>()(
      z.strictObject({ requestId: z.string().max(128), name: secretNameSchema, hosts, revision: z.string().max(128) }),
    ),
    addSecret: call<SecretView>()(z.strictObject({ name: secretNameSchema, value: secretValue, hosts })),
    extend: call<void>()(z.strictObject({ minutes: z.number().int().min(1).max(1440) })),
    /** Only the agent whose card was just denied, and only while the ended card offers it. */
    pauseAgent: call<void>()(nothing),
    /** The run that the ended card allowed, in the window. */
    showRun: call<void>()(nothing),
    close: call<void>()(nothing),
  },
  events: {
    state: event<DecisionState | null>(),
  },
} as const;

export type IpcContract = Readonly<{
  calls: Readonly<Record<string, CallSpec<z.ZodType, never>>>;
  events: Readonly<Record<string, EventSpec<never>>>;
}>;

type OutputOf<Spec> = Spec extends { output: (value: infer Output) => void } ? Output : never;
type PayloadOf<Spec> = Spec extends { payload: (value: infer Payload) => void } ? Payload : never;
type InputOf<Spec> = Spec extends { input: infer Input extends z.ZodType } ? z.output<Input> : never;

/** Main's side: one handler for each call. */
export type Handlers<Contract extends IpcContract> = {
  readonly [Name in keyof Contract['calls']]: (
    input: InputOf<Contract['calls'][Name]>,
  ) => OutputOf<Contract['calls'][Name]> | Promise<OutputOf<Contract['calls'][Name]>>;
};

/** Main's side: how events are sent to a view. */
export type Emit<Contract extends IpcContract> = <Name extends keyof Contract['events']>(
  name: Name,
  payload: PayloadOf<Contract['events'][Name]>,
) => void;

/** What crosses: a value or the error envelope. */
export type Answer<Value> = Readonly<{ ok: true; value: Value }> | Readonly<{ ok: false; error: ErrorBody['error'] }>;

/** The view's side, as the preload exposes it. */
export type Bridge<Contract extends IpcContract> = Readonly<{
  calls: {
    readonly [Name in keyof Contract['calls']]: (
      input: InputOf<Contract['calls'][Name]>,
    ) => Promise<Answer<OutputOf<Contract['calls'][Name]>>>;
  };
  on: <Name extends keyof Contract['events']>(
    name: Name,
    listener: (payload: PayloadOf<Contract['events'][Name]>) => void,
  ) => () => void;
}>;

export type WindowContract = typeof windowIpc;
export type DecisionContract = typeof decisionIpc;

import type { ExecuteBody } from '../../contract/bridge.ts';
import { executeBodySchema } from '../../contract/bridge.ts';
import { readCommentTags } from '../../main/core/commentTags.ts';
import { buildManifest, type RequestBindings, type SandboxFacts } from '../../main/core/manifest.ts';
import type { Manifest } from '../../main/core/manifestTypes.ts';
import type { SecretRecord } from '../../main/core/records.ts';
import { planRequest } from '../../main/core/requestPlan.ts';

export const embedded: SandboxFacts = {
  isolation: 'embedded',
  carrier: { image: 'none', runner: 'runner-1', seccomp: 'none' },
};

export const exampleBody: ExecuteBody = {
  skill_id: 'openai-completion',
  skill_url: 'https://gist.example.com/abc123',
  code: "console.log(Deno.env.get('OPENAI_API_KEY'));\n",
  secrets: ['OPENAI_API_KEY'],
  args: { prompt: 'Hello!' },
  metadata: { description: 'Send a chat completion', network: ['api.openai.com'], timeout: 30, runtime: 'quickjs' },
};

/** A secret that the owner has, bound where the test says. */
export function secretRecord(name: string, change: Partial<SecretRecord> = {}): SecretRecord {
  return {
    id: `sec_${name}`,
    name,
    version: 1,
    delivery: 'placeholder',
    createdAt: 0,
    updatedAt: 0,
    lastUsedAt: null,
    binding: {
      revision: 1,
      hosts: ['api.openai.com'],
      places: { headers: [], query: [], path: false, json: [], form: [] },
      source: 'owner',
    },
    ...change,
  };
}

export const secretOf =
  (...records: readonly SecretRecord[]) =>
  (name: string): SecretRecord | null =>
    records.find((record) => record.name === name) ?? null;

export type ManifestSetting = Readonly<{
  agentId?: string;
  secretOf?: (name: string) => SecretRecord | null;
  requestBindings?: RequestBindings;
  sandbox?: SandboxFacts;
  localNames?: ReadonlySet<string>;
  fetchedFrom?: string;
}>;

/** The manifest of a body as the bridge would take it. */
export function manifestOf(body: unknown, setting: ManifestSetting = {}): Manifest {
  const checked = executeBodySchema.parse(body);
  const code = checked.code ?? '';
  const context = {
    runtime: 'quickjs',
    minimumIsolation: 'embedded',
    localNames: setting.localNames ?? new Set<string>(),
  } as const;
  return buildManifest({
    agentId: setting.agentId ?? 'agt_home',
    plan: planRequest(checked, readCommentTags(code), context),
    code: new TextEncoder().encode(code),
    fetchedFrom: setting.fetchedFrom ?? null,
    sandbox: setting.sandbox ?? embedded,
    secretOf: setting.secretOf ?? secretOf(secretRecord('OPENAI_API_KEY')),
    requestBindings: setting.requestBindings ?? {},
  });
}

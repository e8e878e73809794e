import { z } from 'zod';
import { isolationSchema, runtimeSchema } from './runtime.ts';

/** Settings that the owner can read and change (window, `oauth3 settings`); stored in SQLite, each change audited. */
export const settingsSchemas = {
  'limits.pending_per_agent': z.number().int().min(1).max(1_000_000),
  'limits.requests_per_minute': z.number().int().min(1).max(100_000_000),
  'limits.concurrent_runs': z.number().int().min(1).max(64),
  'limits.concurrent_runs_per_agent': z.number().int().min(1).max(64),
  'approval.expires_minutes': z.number().int().min(1).max(1440),
  'pool.size': z.number().int().min(0).max(8),
  'notify.cards': z.boolean(),
  'notify.run_once': z.enum(['never', 'seen', 'always']),
  'retention.results_days': z.number().int().min(1).max(3650),
  'retention.traffic_days': z.number().int().min(1).max(3650),
  'runtime.default': runtimeSchema.nullable(),
  'isolation.minimum': isolationSchema,
  'engine.allow_remote': z.boolean(),
  'pairing.open': z.boolean(),
  'app.start_at_login': z.boolean(),
} as const;

export type SettingKey = keyof typeof settingsSchemas;
export type Settings = { readonly [K in SettingKey]: z.infer<(typeof settingsSchemas)[K]> };

export const defaultSettings: Settings = {
  'limits.pending_per_agent': 20,
  'limits.requests_per_minute': 60,
  'limits.concurrent_runs': 4,
  'limits.concurrent_runs_per_agent': 3,
  'approval.expires_minutes': 30,
  'pool.size': 1,
  'notify.cards': true,
  'notify.run_once': 'seen',
  'retention.results_days': 30,
  'retention.traffic_days': 90,
  /** null: not chosen yet; the broker then takes Deno if a container engine is there, else QuickJS, and keeps that. */
  'runtime.default': null,
  /** The weakest isolation that anything may run in, whatever a request asks for. */
  'isolation.minimum': 'embedded',
  /** Whether DOCKER_HOST may name an engine on another machine: code and stand-ins then leave this one. */
  'engine.allow_remote': false,
  'pairing.open': true,
  'app.start_at_login': false,
};

export const settingKeys = Object.keys(settingsSchemas) as readonly SettingKey[];

export function isSettingKey(text: string): text is SettingKey {
  return Object.hasOwn(settingsSchemas, text);
}

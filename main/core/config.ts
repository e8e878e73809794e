import { isIP } from 'node:net';
import { z } from 'zod';
import { commaList } from './commaList.ts';
import { canonicalHost, HostSyntaxError } from './host.ts';

/** One variable of the environment has a bad value: the start ends with this line and exit code 78. */
export class ConfigError extends Error {
  readonly code = 'bad_configuration';
  readonly variable: string;

  constructor(variable: string, reason: string) {
    super(`${variable}: ${reason}`);
    this.name = 'ConfigError';
    this.variable = variable;
  }
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What the environment says (INTERFACES 2). null: not said, so the setting or default counts. Never stored. */
export type Config<LocalServices> = Readonly<{
  port: number;
  /** IP addresses in their shortest form, IPv6 without brackets; at least one. */
  bind: readonly string[];
  /** Canonical host names, without port. */
  allowedHosts: readonly string[];
  telegram: Readonly<{ botToken: string | null; chatIds: readonly number[]; apiRoot: string | null }>;
  openclawHook: Readonly<{ url: string; token: string | null }> | null;
  sandbox: 'embedded' | 'docker' | null;
  dockerHost: string | null;
  egressCaFile: string | null;
  localServices: LocalServices;
  llmBaseUrls: ReadonlyMap<string, string>;
  passphraseFile: string | null;
  logLevel: LogLevel;
}>;

type Environment = Readonly<Record<string, string | undefined>>;

function webUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol)) throw new Error('must be a full http or https URL');
  if (url.username !== '' || url.password !== '') throw new Error('must not hold a user name or password');
  return text;
}

function bindAddress(text: string): string {
  const bare = text.replace(/^\[(.*)\]$/, '$1');
  if (isIP(bare) === 0 || bare.includes('%')) {
    throw new Error(`"${text}" is not an IP address; write 127.0.0.1 for this machine only`);
  }
  const address = isIP(bare) === 4 ? bare : new URL(`http://[${bare}]`).hostname.slice(1, -1);
  if (address === '0.0.0.0' || address === '::' || address === '::ffff:0:0') {
    throw new Error(`"${text}" would listen on every interface; write the address of the one you mean`);
  }
  return address;
}

function baseUrlPair(text: string): readonly [string, string] {
  const parts = /^([a-z0-9][a-z0-9_-]*)=(.+)$/.exec(text);
  if (parts?.[1] === undefined || parts[2] === undefined) throw new Error('must be a list of provider=url');
  return [parts[1], webUrl(parts[2])];
}

/** Lets a plain function that throws a sentence take part in a schema. */
function reading<Output>(read: (text: string) => Output): z.ZodType<Output, string> {
  return z.string().transform((text, context) => {
    try {
      return read(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: reasonOf(error) });
      return z.NEVER;
    }
  });
}

function reasonOf(error: unknown): string {
  if (error instanceof HostSyntaxError) return error.reason;
  return error instanceof Error ? error.message : 'cannot be read';
}

const port = reading((text) => {
  if (!/^[0-9]{1,5}$/.test(text) || Number(text) > 65_535) throw new Error('must be a port number from 0 to 65535');
  return Number(text);
});
const bind = reading((text) => {
  const addresses = [...new Set(commaList(text).map(bindAddress))];
  if (addresses.length === 0) throw new Error('must name at least one address');
  return addresses;
});
const allowedHosts = reading((text) => commaList(text).map((name) => canonicalHost(name)));
const chatIds = reading((text) =>
  commaList(text).map((id) => {
    if (!/^-?[1-9][0-9]{0,15}$/.test(id)) throw new Error('must be a list of numeric ids, negative for groups');
    return Number(id);
  }),
);
const botToken = reading((text) => {
  if (!/^[0-9]+:[A-Za-z0-9_-]+$/.test(text)) throw new Error('must look like 123456:ABC..., as BotFather gave it');
  return text;
});
const headerToken = reading((text) => {
  if (!/^[\x21-\x7e]+$/.test(text)) throw new Error('must be plain characters without spaces');
  return text;
});
const sandbox = z.enum(['embedded', 'docker'], { error: 'must be embedded or docker' });
const logLevel = z.enum(['debug', 'info', 'warn', 'error'], { error: 'must be debug, info, warn or error' });
const url = reading(webUrl);
const baseUrls = reading((text) => new Map(commaList(text).map(baseUrlPair)));
const anyText = z.string();

/**
 * Reads the environment (`.env` merged into it by the caller). An empty value is as good as none. `readLocalServices`
 * reads OAUTH3_EGRESS_HOSTS and throws a sentence. Throws ConfigError; never quotes a value that may be a secret.
 */
export function readConfig<LocalServices>(
  env: Environment,
  readLocalServices: (text: string) => LocalServices,
): Config<LocalServices> {
  const optional = <Output>(name: string, schema: z.ZodType<Output, string>): Output | null => {
    const text = env[name]?.trim() ?? '';
    if (text === '') return null;
    const parsed = schema.safeParse(text);
    if (parsed.success) return parsed.data;
    throw new ConfigError(name, parsed.error.issues[0]?.message ?? 'cannot be read');
  };
  const hookUrl = optional('OPENCLAW_HOOK_URL', url);
  const hookToken = optional('OPENCLAW_HOOK_TOKEN', headerToken);
  if (hookUrl === null && hookToken !== null) {
    throw new ConfigError('OPENCLAW_HOOK_TOKEN', 'is set without OPENCLAW_HOOK_URL');
  }
  const debug = env.DEBUG?.trim() === '*';
  return {
    port: optional('PORT', port) ?? 3737,
    bind: optional('OAUTH3_BIND', bind) ?? ['127.0.0.1'],
    allowedHosts: optional('OAUTH3_ALLOWED_HOSTS', allowedHosts) ?? [],
    telegram: {
      botToken: optional('TELEGRAM_BOT_TOKEN', botToken),
      chatIds: optional('TELEGRAM_CHAT_ID', chatIds) ?? [],
      apiRoot: optional('TELEGRAM_API_ROOT', url),
    },
    openclawHook: hookUrl === null ? null : { url: hookUrl, token: hookToken },
    sandbox: optional('OAUTH3_SANDBOX', sandbox),
    dockerHost: optional('DOCKER_HOST', anyText),
    egressCaFile: optional('OAUTH3_EGRESS_CA_FILE', anyText),
    localServices: optional('OAUTH3_EGRESS_HOSTS', reading(readLocalServices)) ?? readLocalServices(''),
    llmBaseUrls: optional('OAUTH3_LLM_BASE_URLS', baseUrls) ?? new Map(),
    passphraseFile: optional('OAUTH3_PASSPHRASE_FILE', anyText),
    logLevel: optional('LOG_LEVEL', logLevel) ?? (debug ? 'debug' : 'info'),
  };
}

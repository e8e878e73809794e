import { CodedError } from '../../contract/errors.ts';
import type { BindingInput, OwnerActions, SecretView } from '../../contract/owner.ts';
import type { Delivery, Principal } from '../../contract/states.ts';
import { formatHostRule, HostSyntaxError, isEchoHost, parseHostRule } from '../core/host.ts';
import { makeId } from '../core/ids.ts';
import { parseJsonPointer } from '../core/jsonPointer.ts';
import { noPlaces, type SecretPlaces } from '../core/manifestTypes.ts';
import type { BindingRecord, SecretRecord } from '../core/records.ts';
import { checkSecretName, checkSecretValue, maxSecrets } from '../core/secretRules.ts';
import { isoTime, isoTimeOrNull } from '../core/times.ts';
import { wellKnownHosts } from '../core/wellKnown.ts';
import { announce, type OwnerDeps } from './ports.ts';

type Binding = Omit<BindingRecord, 'revision'>;
type PlacesInput = Omit<BindingInput, 'name' | 'hosts'>;

// RFC 9110 5.1. Headers that frame or route the request can never carry a secret.
const headerName = /^[a-z0-9!#$%&'*+.^_`|~-]{1,100}$/;
const framingHeaders: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const unusedAfterMs = 30 * 24 * 60 * 60 * 1000;
/** Of so many newest requests it is told what ran with a secret. */
const usesOfRequests = 2_000;

type Uses = SecretView['used_by'];

function view(secret: SecretRecord, nowMs: number, usedBy: Uses): SecretView {
  const { places } = secret.binding;
  return {
    name: secret.name,
    delivery: secret.delivery,
    version: secret.version,
    hosts: secret.binding.hosts,
    headers: places.headers,
    query: places.query,
    path: places.path,
    json: places.json,
    form: places.form,
    created_at: isoTime(secret.createdAt),
    updated_at: isoTime(secret.updatedAt),
    last_used_at: isoTimeOrNull(secret.lastUsedAt),
    unused: Math.max(secret.updatedAt, secret.lastUsedAt ?? 0) <= nowMs - unusedAfterMs,
    used_by: usedBy,
  };
}
function readHeader(text: string): string {
  const name = text.toLowerCase();
  if (!headerName.test(name) || framingHeaders.has(name)) {
    throw new CodedError('invalid_request', `A secret cannot be put into the header ${JSON.stringify(text)}`);
  }
  return name;
}

/** Half of a character has no digest (RFC 8785), and a control character is in no name that an API has. */
function readName(text: string): string {
  if (/^$|[\p{Cc}\p{Surrogate}]/u.test(text)) {
    throw new CodedError('invalid_request', `${JSON.stringify(text)} cannot be the name of a field`);
  }
  return text;
}

function readJsonField(text: string): string {
  if (parseJsonPointer(readName(text)) !== null) return text;
  throw new CodedError('invalid_request', `${JSON.stringify(text)} does not lead to a field of a JSON body`, {
    hint: 'Write a slash before each key on the way to it: /auth/key, or /items/0/key (RFC 6901)',
  });
}

const sortedOnce = (texts: readonly string[]): readonly string[] => [...new Set(texts)].sort();

function places(input: PlacesInput, current: SecretPlaces): SecretPlaces {
  const { headers, query, path, json, form } = input;
  return {
    headers: headers === undefined ? current.headers : sortedOnce(headers.map(readHeader)),
    query: query === undefined ? current.query : sortedOnce(query.map(readName)),
    path: path ?? current.path,
    json: json === undefined ? current.json : sortedOnce(json.map(readJsonField)),
    form: form === undefined ? current.form : sortedOnce(form.map(readName)),
  };
}

type SecretActions = Pick<OwnerActions, 'secrets' | 'addSecret' | 'bindSecret' | 'rotateSecret' | 'removeSecret'>;

/** Secrets and where they may go. Values are encrypted here and never read back. */
export function secretActions(deps: OwnerDeps & Readonly<{ localNames: () => ReadonlySet<string> }>): SecretActions {
  const { records, clock, vault } = deps;

  const refuse = (verdict: ReturnType<typeof checkSecretName>): void => {
    if (!verdict.ok) throw new CodedError('invalid_request', verdict.reason);
  };

  const hostRules = (hosts: readonly string[]): readonly string[] => {
    try {
      const localNames = deps.localNames();
      const rules = hosts.map((host) => parseHostRule(host, { localNames }));
      const echo = rules.find(({ host }) => isEchoHost(host));
      if (echo !== undefined) {
        throw new CodedError(
          'invalid_request',
          `${echo.host} shows what it is sent to others; a secret bound to it is public`,
        );
      }
      return [...new Set(rules.map(formatHostRule))].sort();
    } catch (error) {
      if (error instanceof HostSyntaxError) throw new CodedError('invalid_request', error.message);
      throw error;
    }
  };

  /** Each run looks for every secret in its output: more of them than a person has would stall all runs. */
  const refuseTooMany = (): void => {
    if (records.secrets().length < maxSecrets) return;
    throw new CodedError('invalid_request', `There are ${maxSecrets} secrets already; more cannot be masked in time`, {
      hint: 'Remove some that nothing uses any more: oauth3 secret list, then oauth3 secret rm NAME',
    });
  };

  const find = (name: string): SecretRecord => {
    const secret = records.secretByName(name);
    if (secret === null) {
      throw new CodedError('not_found', `There is no secret ${name}`, {
        hint: `Add it with: oauth3 secret add ${name}`,
      });
    }
    return secret;
  };

  /** The trust key covers binding and delivery: after a change these entries can never match again, so they end visibly. */
  const endTrust = (secret: SecretRecord, principal: Principal): void => {
    for (const entry of records.trustUsingSecret(secret.id)) records.revokeTrust(entry.id, principal, clock.wallMs());
  };

  const replaceValue = (
    secret: SecretRecord,
    value: string,
    delivery: Delivery,
    principal: Principal,
  ): SecretRecord => {
    refuse(checkSecretValue(value, delivery));
    const version = secret.version + 1;
    const encrypted = vault.encrypt({ id: secret.id, name: secret.name, version }, value);
    return records.replaceSecretValue(secret.id, encrypted, principal, clock.wallMs());
  };

  const setBinding = (secret: SecretRecord, binding: Binding, principal: Principal): SecretRecord => {
    const changed = records.setBinding(secret.id, binding, principal, clock.wallMs());
    endTrust(secret, principal);
    return changed;
  };

  const describe = (secret: SecretRecord): string =>
    secret.binding.hosts.length === 0 ? secret.name : `${secret.name} for ${secret.binding.hosts.join(', ')}`;

  const usesBySecret = (): ReadonlyMap<string, Uses> => {
    const names = new Map(records.agents().map((agent) => [agent.id, agent.name]));
    const uses = new Map<string, Uses[number][]>();
    for (const { secretId, agentId, skillId, runs, lastAt } of records.secretUses(usesOfRequests)) {
      const use = { agent: names.get(agentId) ?? agentId, skill_id: skillId, runs, last_at: isoTime(lastAt) };
      uses.set(secretId, [...(uses.get(secretId) ?? []), use]);
    }
    return uses;
  };
  const viewOne = (secret: SecretRecord): SecretView =>
    view(secret, clock.wallMs(), usesBySecret().get(secret.id) ?? []);

  return {
    secrets: () => {
      const uses = usesBySecret();
      return records.secrets().map((secret) => view(secret, clock.wallMs(), uses.get(secret.id) ?? []));
    },

    addSecret(principal, input) {
      refuse(checkSecretName(input.name));
      const existing = records.secretByName(input.name);
      if (existing !== null && input.replace !== true) {
        throw new CodedError('already_exists', `The secret ${input.name} exists`, {
          hint: 'Give it a new value with --replace, or with: oauth3 secret rotate',
        });
      }
      const delivery: Delivery = input.raw === true ? 'raw' : (existing?.delivery ?? 'placeholder');
      refuse(checkSecretValue(input.value, delivery));
      const hosts = input.hosts === undefined || input.hosts.length === 0 ? null : hostRules(input.hosts);

      let secret: SecretRecord;
      if (existing === null) {
        refuseTooMany();
        const id = makeId('sec', deps.random);
        secret = records.addSecret(
          {
            id,
            name: input.name,
            encrypted: vault.encrypt({ id, name: input.name, version: 1 }, input.value),
            delivery,
            binding: {
              hosts: hosts ?? hostRules(wellKnownHosts(input.name)),
              places: places(input, noPlaces),
              source: hosts === null ? 'table' : 'owner',
            },
          },
          principal,
          clock.wallMs(),
        );
      } else {
        const nextPlaces = places(input, existing.binding.places);
        secret = replaceValue(existing, input.value, delivery, principal);
        if (delivery !== existing.delivery) {
          secret = records.setSecretDelivery(existing.id, delivery, principal, clock.wallMs());
          endTrust(existing, principal);
        }
        if (hosts !== null || JSON.stringify(nextPlaces) !== JSON.stringify(existing.binding.places)) {
          const binding = { hosts: hosts ?? existing.binding.hosts, places: nextPlaces, source: 'owner' } as const;
          secret = setBinding(existing, binding, principal);
        }
      }
      announce(deps, principal, `The secret ${describe(secret)} was ${existing === null ? 'added' : 'replaced'}`);
      deps.refreshForSecret(secret.name);
      return viewOne(secret);
    },

    bindSecret(principal, input) {
      const secret = find(input.name);
      const changed = setBinding(
        secret,
        { hosts: hostRules(input.hosts), places: places(input, secret.binding.places), source: 'owner' },
        principal,
      );
      announce(deps, principal, `The secret ${describe(changed)} was bound anew`);
      deps.refreshForSecret(changed.name);
      return viewOne(changed);
    },

    rotateSecret(principal, name, value, keepTrust) {
      const secret = find(name);
      const changed = replaceValue(secret, value, secret.delivery, principal);
      if (!keepTrust) endTrust(secret, principal);
      deps.refreshForSecret(name);
      return viewOne(changed);
    },

    removeSecret(principal, name) {
      const secret = find(name);
      endTrust(secret, principal);
      records.removeSecret(secret.id, principal, clock.wallMs());
      deps.refreshForSecret(name);
    },
  };
}

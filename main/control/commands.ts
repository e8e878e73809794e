import type { ControlCommand, ControlParams, ControlValue } from '../../contract/control.ts';
import { controlCommands, isControlCommand } from '../../contract/control.ts';
import { CodedError } from '../../contract/errors.ts';
import type { OwnerActions } from '../../contract/owner.ts';
import { plainWords } from '../../contract/plainWords.ts';
import { isSettingKey, settingKeys } from '../../contract/settings.ts';

/** What a command gives back: its value, and for a streaming one its parts, pulled one by one. */
type Outcome<Name extends ControlCommand> = ControlValue<Name> | Promise<ControlValue<Name>>;
export type Parts = (part: string) => Promise<void>;

type Handlers = Readonly<{
  [Name in ControlCommand]: (params: ControlParams<Name>, parts: Parts) => Outcome<Name>;
}>;

const defaultRequests = 100;

/** Parameters without the keys that were left out, as `exactOptionalPropertyTypes` wants them. */
type Given<Value> = { [Key in keyof Value]: Exclude<Value[Key], undefined> };
function given<Value extends object>(value: Value): Given<Value> {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Given<Value>;
}

/** Every command of the socket as one owner action. The principal is always `cli`. */
function handlers(owner: OwnerActions): Handlers {
  const done = (_nothing: unknown): null => null;
  const setting = (key: string) => {
    if (!isSettingKey(key)) {
      throw new CodedError('not_found', `There is no setting ${JSON.stringify(key)}`, {
        hint: `Settings are: ${settingKeys.join(', ')}`,
      });
    }
    return { key, value: owner.settings()[key] };
  };
  return {
    status: () => owner.status(),
    'agent.add': ({ name }) => owner.addAgent('cli', name),
    'agent.list': () => ({ items: owner.agents() }),
    'agent.pause': ({ name, paused }) => done(owner.pauseAgent('cli', name, paused)),
    'agent.rotate': ({ name }) => owner.rotateAgent('cli', name),
    'agent.revoke': ({ name }) => done(owner.revokeAgent('cli', name)),
    'secret.add': (input) => owner.addSecret('cli', given(input)),
    'secret.bind': (input) => owner.bindSecret('cli', given(input)),
    'secret.rotate': ({ name, value, keep_trust }) => owner.rotateSecret('cli', name, value, keep_trust),
    'secret.list': () => ({ items: owner.secrets() }),
    'secret.remove': ({ name }) => done(owner.removeSecret('cli', name)),
    'host.add': ({ entry }) => owner.addLocalService('cli', entry),
    'host.list': () => ({ items: owner.localServices() }),
    'host.remove': ({ name }) => done(owner.removeLocalService('cli', name)),
    'trust.list': () => ({ items: owner.trust() }),
    'trust.revoke': ({ id }) => done(owner.revokeTrust('cli', id)),
    'trust.revoke_all': () => ({ revoked: owner.revokeAllTrust('cli') }),
    'requests.list': ({ status, limit }) => ({
      items: owner.requests({ limit: limit ?? defaultRequests, ...(status === undefined ? {} : { status }) }),
    }),
    'requests.show': ({ id }) => owner.requestDetail(id),
    'audit.list': async (query) => ({ items: await owner.audit(query) }),
    'audit.verify': () => owner.verifyAudit(),
    'audit.export': async ({ format, ...filter }, parts) => {
      for await (const part of owner.exportAudit(format, filter)) await parts(part);
      return null;
    },
    images: async ({ runtimes, isolation }, parts) => {
      // Sentences in their order; the connection may be slower than the work.
      let told: Promise<void> = Promise.resolve();
      const items = await owner.prepareSandboxes(runtimes, isolation, (sentence) => {
        told = told.then(() => parts(`${sentence}\n`));
      });
      await told;
      return { items };
    },
    'settings.list': () => ({ items: settingKeys.map(setting) }),
    'settings.get': ({ key }) => setting(key),
    'settings.set': ({ key, value }) => {
      const { key: known } = setting(key);
      owner.setSetting('cli', known, value);
      return setting(known);
    },
    unlock: async ({ passphrase }) => done(await owner.unlock('cli', passphrase)),
    lock: () => done(owner.lock('cli')),
    pause: () => done(owner.pause('cli')),
    resume: () => done(owner.resume('cli')),
    panic: () => owner.panic('cli'),
    'wake.test': () => owner.wakeTest('cli'),
  };
}

/** Runs one validated command. CodedError for an unknown command, wrong parameters, or what the action refuses. */
export type RunCommand = (name: string, params: unknown, parts: Parts) => Promise<unknown>;

export function commandRunner(owner: OwnerActions): RunCommand {
  const table = handlers(owner);
  // One generic step keeps name, parameters and handler of the same command together for the compiler.
  const run = async <Name extends ControlCommand>(name: Name, params: unknown, parts: Parts): Promise<unknown> => {
    const checked = controlCommands[name].params.safeParse(params, { error: plainWords });
    if (!checked.success) {
      const issue = checked.error.issues[0];
      const where = issue === undefined || issue.path.length === 0 ? '' : ` (${issue.path.join('.')})`;
      throw new CodedError(
        'invalid_request',
        `Wrong parameters for ${name}${where}: ${issue?.message ?? 'unreadable'}`,
      );
    }
    return table[name](checked.data as ControlParams<Name>, parts);
  };
  return async (name, params, parts) => {
    if (!isControlCommand(name)) {
      throw new CodedError('not_found', `There is no command ${JSON.stringify(name.slice(0, 100))}`);
    }
    return run(name, params, parts);
  };
}

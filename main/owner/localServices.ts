import { z } from 'zod';
import { CodedError } from '../../contract/errors.ts';
import type { LocalServiceView, OwnerActions } from '../../contract/owner.ts';
import {
  type LocalService,
  LocalServiceSyntaxError,
  type LocalServices,
  parseLocalService,
} from '../net/localServices.ts';
import { announce, type OwnerDeps } from './ports.ts';

const settingName = 'local_services';
const storedSchema = z.array(
  z.strictObject({ name: z.string(), address: z.string(), port: z.number().int().nullable() }),
);

/** Names that the owner allows to lead into the own network. The environment wins over stored ones of the same name. */
export class LocalServiceBook {
  readonly #deps: Pick<OwnerDeps, 'records' | 'clock' | 'environmentServices'>;
  #known: LocalServices | null = null;

  constructor(deps: Pick<OwnerDeps, 'records' | 'clock' | 'environmentServices'>) {
    this.#deps = deps;
  }

  stored(): Map<string, LocalService> {
    const stored = storedSchema.safeParse(this.#deps.records.setting(settingName));
    return new Map((stored.data ?? []).map(({ name, address, port }) => [name, { address, port }]));
  }

  /** All that hold now. */
  current(): LocalServices {
    this.#known ??= new Map([...this.stored(), ...this.#deps.environmentServices]);
    return this.#known;
  }

  names(): ReadonlySet<string> {
    return new Set(this.current().keys());
  }

  store(services: ReadonlyMap<string, LocalService>, actor: Parameters<OwnerDeps['records']['setSetting']>[2]): void {
    const rows = [...services].map(([name, { address, port }]) => ({ name, address, port }));
    this.#deps.records.setSetting(settingName, rows, actor, this.#deps.clock.wallMs());
    this.#known = null;
  }
}

type LocalServiceActions = Pick<OwnerActions, 'localServices' | 'addLocalService' | 'removeLocalService'>;

export function localServiceActions(deps: OwnerDeps, book: LocalServiceBook): LocalServiceActions {
  const view = (name: string, service: LocalService): LocalServiceView => ({
    name,
    ...service,
    source: deps.environmentServices.has(name) ? 'environment' : 'owner',
  });

  return {
    localServices: () => [...book.current()].map(([name, service]) => view(name, service)),

    addLocalService(principal, entry) {
      try {
        const [name, service] = parseLocalService(entry);
        book.store(book.stored().set(name, service), principal);
        announce(deps, principal, `The local service ${entry} was added`);
        return view(name, book.current().get(name) ?? service);
      } catch (error) {
        if (error instanceof LocalServiceSyntaxError) throw new CodedError('invalid_request', error.message);
        throw error;
      }
    },

    removeLocalService(principal, name) {
      const services = book.stored();
      if (!services.delete(name)) {
        throw new CodedError('not_found', `There is no local service ${JSON.stringify(name)} of your own`, {
          hint: deps.environmentServices.has(name)
            ? 'It comes from OAUTH3_EGRESS_HOSTS; take it out there.'
            : 'List them with: oauth3 host list',
        });
      }
      book.store(services, principal);
    },
  };
}

import type { CardFact } from '../../contract/card.ts';
import type { Segment } from '../../contract/display.ts';
import { formatHostRule } from './host.ts';
import type { Manifest, ManifestSecret } from './manifestTypes.ts';
import { listInProse, prose } from './prose.ts';
import { minuteText } from './times.ts';

/** The newest approved request of the same agent and skill. */
export type LastApproved = Readonly<{
  manifest: Manifest;
  decidedAtMs: number;
  /** Its run was stopped, because the code put a secret where it may not go. */
  misused?: boolean;
}>;

/** What is new since the last approved version, in words. */
export function changeFact(manifest: Manifest, last: LastApproved | null, seenBefore: boolean): CardFact {
  const fact = { key: 'changed', label: 'What is new' } as const;
  if (last === null) {
    return seenBefore
      ? { ...fact, tone: 'plain', value: prose`nothing: you approved exactly this before` }
      : { ...fact, tone: 'notice', value: prose`everything: you never approved this skill for this agent` };
  }
  const when = minuteText(last.decidedAtMs);
  const changes = changesBetween(last.manifest, manifest);
  if (last.misused === true) {
    const what = changes.length === 0 ? prose`nothing` : listInProse(changes);
    const stopped = prose`that run was stopped, because its code put a secret where it may not go`;
    return { ...fact, tone: 'danger', value: prose`since you approved it on ${when}, ${what}; ${stopped}` };
  }
  if (changes.length === 0) return { ...fact, tone: 'plain', value: prose`nothing since you approved it on ${when}` };
  return { ...fact, tone: 'notice', value: prose`since you approved it on ${when}: ${listInProse(changes)}` };
}

function changesBetween(before: Manifest, now: Manifest): readonly (readonly Segment[])[] {
  const changes: (readonly Segment[])[] = [];
  if (before.code.sha256 !== now.code.sha256) {
    changes.push(prose`the code changed (${before.code.length} to ${now.code.length} bytes)`);
  }
  changes.push(...listChanges('secret', before.secrets.map(nameOf), now.secrets.map(nameOf)));
  changes.push(...listChanges('host', before.network.map(formatHostRule), now.network.map(formatHostRule)));
  for (const secret of now.secrets) {
    const earlier = before.secrets.find((candidate) => candidate.name === secret.name);
    if (earlier !== undefined) changes.push(...secretChanges(earlier, secret));
  }
  if (before.runtime !== now.runtime) changes.push(prose`runtime ${before.runtime} became ${now.runtime}`);
  if (before.isolation.minimum !== now.isolation.minimum) {
    changes.push(prose`asked isolation ${before.isolation.minimum} became ${now.isolation.minimum}`);
  }
  if (before.isolation.actual !== now.isolation.actual) {
    changes.push(prose`it ran in ${before.isolation.actual}, now ${now.isolation.actual}`);
  }
  const { limits } = now;
  if (
    before.limits.timeoutMs !== limits.timeoutMs ||
    before.limits.memoryMb !== limits.memoryMb ||
    before.limits.cpus !== limits.cpus
  ) {
    changes.push(prose`other limits`);
  }
  if (before.args.sha256 !== now.args.sha256) changes.push(prose`other arguments`);
  return changes;
}

const nameOf = (secret: ManifestSecret): string => secret.name;

function listChanges(kind: string, before: readonly string[], now: readonly string[]): readonly (readonly Segment[])[] {
  const added = now.filter((entry) => !before.includes(entry)).map((entry) => prose`new ${kind} ${entry}`);
  const gone = before.filter((entry) => !now.includes(entry)).map((entry) => prose`no longer ${kind} ${entry}`);
  return [...added, ...gone];
}

function secretChanges(before: ManifestSecret, now: ManifestSecret): readonly (readonly Segment[])[] {
  if (before.secretId !== now.secretId) return [prose`${now.name} is another secret of that name`];
  if (before.delivery !== now.delivery) return [prose`${now.name} is now delivered as ${now.delivery}`];
  if (before.bindingRevision !== now.bindingRevision) return [prose`${now.name} is bound differently`];
  return [];
}

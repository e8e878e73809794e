import type { Card, CardCode } from '../../contract/card.ts';
import { blockersOf } from '../core/blockers.ts';
import type { LastApproved } from '../core/cardChanges.ts';
import { makeCardCode, makeRunCard } from '../core/cardFacts.ts';
import type { ReadCode } from '../core/codeChanges.ts';
import { analyseCode } from '../core/codeReport.ts';
import { toSegments } from '../core/display.ts';
import type { Manifest } from '../core/manifestTypes.ts';
import type { Records, RequestRecord } from '../core/records.ts';
import type { ManifestShelf } from './manifestShelf.ts';
import type { LocalNames, SandboxPort } from './ports.ts';
import { remembered } from './remembered.ts';

export type RunCardDeps = Readonly<{
  records: Pick<Records, 'agent' | 'code' | 'everApproved' | 'lastApproved' | 'request' | 'secretByName'>;
  manifests: ManifestShelf;
  localNames: LocalNames;
  sandbox: Pick<SandboxPort, 'notes'>;
}>;

type CodePart = Readonly<{ code: CardCode; read: ReadCode; findings: Card['findings']; runsText: boolean }>;

// A card is asked for several times, by every channel; reading the code again each time would cost most of it.
const maxCodeParts = 16;
const maxFreshCards = 64;

/** Makes the card of a waiting request from what is stored. */
export class RunCards {
  readonly #deps: RunCardDeps;
  /** Cards made in this turn of the event loop: showing one asks for it several times. */
  readonly #fresh = new Map<string, Card>();
  readonly #codeParts = new Map<string, CodePart>();

  constructor(deps: RunCardDeps) {
    this.#deps = deps;
  }

  /** null when the request does not wait, or when what is stored of it cannot be shown in full. */
  card(id: string): Card | null {
    const { records } = this.#deps;
    const request = records.request(id);
    if (request?.status !== 'pending') return null;
    const key = `${id} ${request.manifestDigest} ${request.expiresAt}`;
    const fresh = this.#fresh.get(key);
    if (fresh !== undefined) return fresh;
    const card = this.#make(request);
    if (card === null) return null;
    if (this.#fresh.size === 0) setImmediate(() => this.#fresh.clear());
    if (this.#fresh.size < maxFreshCards) this.#fresh.set(key, card);
    return card;
  }

  #make(request: RequestRecord): Card | null {
    const { records, manifests } = this.#deps;
    const manifest = manifests.get(request.manifestDigest);
    const agent = records.agent(request.agentId);
    if (manifest === null || agent === null) return null;
    const codePart = this.#codePart(manifest);
    if (codePart === null) return null;
    const secretOf = remembered((name: string) => records.secretByName(name));
    const lastApproved = this.#lastApproved(request);
    return makeRunCard({
      request,
      manifest,
      agent,
      ...codePart,
      blockers: blockersOf(manifest, secretOf),
      secretOf,
      lastApproved,
      seenBefore: records.everApproved(request.trustKey) && lastApproved?.misused !== true,
      localNames: this.#deps.localNames(),
      isolationNotes: this.#deps.sandbox.notes(manifest.isolation.actual),
    });
  }

  #lastApproved(request: RequestRecord): LastApproved | null {
    const { records, manifests } = this.#deps;
    const last = records.lastApproved(request.agentId, request.skillId, request.id);
    if (last === null) return null;
    const manifest = manifests.get(last.manifestDigest);
    if (manifest === null) return null;
    const misused = last.error?.code === 'secret_misplaced';
    const code = this.#codePart(manifest)?.read;
    return {
      manifest,
      decidedAtMs: last.decidedAt ?? last.createdAt,
      misused,
      ...(code === undefined ? {} : { code }),
    };
  }

  #codePart(manifest: Manifest): CodePart | null {
    const names = manifest.secrets.map((secret) => secret.name);
    const key = JSON.stringify([manifest.code.sha256, manifest.runtime, names, manifest.network]);
    const known = this.#codeParts.get(key) ?? this.#readCode(manifest, names);
    if (known === null) return null;
    this.#codeParts.delete(key);
    this.#codeParts.set(key, known);
    const oldest = this.#codeParts.keys().next();
    if (this.#codeParts.size > maxCodeParts && oldest.done !== true) this.#codeParts.delete(oldest.value);
    return known;
  }

  #readCode(manifest: Manifest, secrets: readonly string[]): CodePart | null {
    const bytes = this.#deps.records.code(manifest.code.sha256);
    if (bytes === null) return null;
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
    const report = analyseCode(text, manifest.runtime, { secrets, hosts: manifest.network });
    const { findings, dynamicCode, parsed } = report;
    const warningsFirst = findings.toSorted(
      (left, right) => Number(right.severity === 'warn') - Number(left.severity === 'warn'),
    );
    return {
      code: makeCardCode(manifest, text),
      read: { text, report },
      findings: warningsFirst.map((finding) => ({ severity: finding.severity, text: toSegments(finding.text) })),
      runsText: !parsed || dynamicCode.length > 0,
    };
  }
}

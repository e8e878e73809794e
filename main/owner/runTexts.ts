import type { RunPart } from '../../contract/runView.ts';
import { canonicalJson } from '../core/digest.ts';
import type { Records, RequestRecord } from '../core/records.ts';
import type { LiveText, RunFollower } from '../core/runPorts.ts';
import { TextLayout } from '../core/textRows.ts';

export type RunTextsDeps = Readonly<{
  records: Pick<Records, 'manifest' | 'code' | 'result'>;
  runs: RunFollower;
}>;

/** `live`: the stream that it follows; null when it is whole. */
type Laid = Readonly<{ layout: TextLayout; live: LiveText | null; more: () => string }>;

const whole = (text: string): Laid => ({ layout: new TextLayout(text), live: null, more: () => '' });

/**
 * The texts of the one run that the owner looks at, laid out when they are first asked for: reading a long output again
 * for each of its pages would make the last page as slow as all of them.
 */
export class RunTexts {
  readonly #deps: RunTextsDeps;
  #id: string | null = null;
  readonly #laid = new Map<RunPart, Laid>();

  constructor(deps: RunTextsDeps) {
    this.#deps = deps;
  }

  /** As far as it has come; null when there is no such text (any more). */
  of(request: RequestRecord, part: RunPart): TextLayout | null {
    if (this.#id !== request.id) this.forget();
    this.#id = request.id;
    const live = part === 'stdout' || part === 'stderr' ? (this.#deps.runs.live(request.id)?.[part] ?? null) : null;
    const known = this.#laid.get(part);
    const laid = known !== undefined && known.live === live ? known : this.#read(request, part, live);
    if (laid === null) return null;
    this.#laid.set(part, laid);
    laid.layout.append(laid.more());
    return laid.layout;
  }

  forget(): void {
    this.#id = null;
    this.#laid.clear();
  }

  #read(request: RequestRecord, part: RunPart, live: LiveText | null): Laid | null {
    if (live !== null) return { layout: new TextLayout(), live, more: live.reader() };
    const { records } = this.#deps;
    const text = textOf(request, part, records);
    return text === null ? null : whole(text);
  }
}

function textOf(request: RequestRecord, part: RunPart, records: RunTextsDeps['records']): string | null {
  switch (part) {
    case 'stdout':
    case 'stderr':
      return records.result(request.id)?.[part] ?? null;
    case 'code': {
      const code = records.code(request.codeHash);
      return code === null ? null : new TextDecoder('utf-8', { ignoreBOM: true }).decode(code);
    }
    case 'manifest':
    case 'canonical':
    case 'arguments': {
      const manifest = records.manifest(request.manifestDigest);
      if (manifest === null) return null;
      if (part === 'canonical') return canonicalJson(manifest);
      return part === 'manifest' ? JSON.stringify(manifest, null, 2) : pretty(manifest.args.json);
    }
  }
}

const pretty = (json: string): string => JSON.stringify(JSON.parse(json), null, 2);

import { type Automaton, AutomatonBuilder, tripleHash } from './redactionAutomaton.ts';
import { SecretSpellings } from './redactionPatterns.ts';
import { secretTerms } from './secretTerms.ts';

/** What stands in place of any secret: the same for all, so that neither the name nor the length shows. */
export const REDACTION_MASK = '[redacted]';

const maskBytes = new TextEncoder().encode(REDACTION_MASK);

export type NamedSecret = Readonly<{ name: string; value: string }>;

/**
 * Replaces secret values, in all their common encodings, by a fixed mask. Built once per set of secrets; each output
 * stream takes its own `stream()`. Works on bytes: decode to text only after it.
 * Not covered: ciphers and rot13, text printed one character a line, fragments of a secret.
 */
export class Redactor {
  readonly #automaton: Automaton;
  readonly #visits: Visits;

  constructor(secrets: readonly NamedSecret[]) {
    const builder = new AutomatonBuilder();
    const terms = new Set(secrets.flatMap((secret) => secretTerms(secret.value)));
    const spellings = new SecretSpellings(builder);
    for (const term of terms) spellings.add(term);
    this.#automaton = builder.freeze();
    this.#visits = new Visits(this.#automaton.nodeCount);
  }

  /** A new stream with its own overlap buffer. */
  stream(): RedactionStream {
    return new RedactionStream(this.#automaton, this.#visits);
  }

  bytes(input: Uint8Array): Uint8Array {
    return this.count(input).bytes;
  }

  text(input: string): string {
    const redacted = this.count(new TextEncoder().encode(input));
    // A text without secrets comes back as it was, lone surrogates included.
    return redacted.count === 0 ? input : new TextDecoder('utf-8', { ignoreBOM: true }).decode(redacted.bytes);
  }

  /** The redacted bytes and how many masks they hold. */
  count(input: Uint8Array): Readonly<{ bytes: Uint8Array; count: number }> {
    const stream = this.stream();
    const bytes = concat([stream.push(input), stream.end()]);
    return { bytes, count: stream.count };
  }
}

/**
 * Which nodes were reached in the current step. A step is never interrupted, so all streams of one redactor share it:
 * it is as large as the automaton.
 */
class Visits {
  readonly #reachedIn: Float64Array;
  #step = 0;

  constructor(nodeCount: number) {
    this.#reachedIn = new Float64Array(nodeCount);
  }

  nextStep(): void {
    this.#step += 1;
  }

  /** True the first time in this step. */
  isFirst(node: number): boolean {
    if (this.#reachedIn[node] === this.#step) return false;
    this.#reachedIn[node] = this.#step;
    return true;
  }
}

type Span = Readonly<{ start: number; end: number }>;

/**
 * Redacts one stream of bytes. Every byte that belongs to any match is masked; overlapping matches share one mask, so no
 * tail of a second secret survives. Holds back only bytes that may yet turn out to be part of a match.
 */
export class RedactionStream {
  readonly #automaton: Automaton;
  // Matches in progress, oldest first: at most one per node, the one that began first.
  #nodes: number[] = [];
  #starts: number[] = [];
  #nextNodes: number[] = [];
  #nextStarts: number[] = [];
  readonly #visits: Visits;
  #position = 0;
  // Bytes from #heldFrom to #position are not given out yet.
  #held: Uint8Array = new Uint8Array(0);
  #heldFrom = 0;
  #spans: Span[] = [];
  #maskedUntil = 0;
  #count = 0;

  constructor(automaton: Automaton, visits: Visits) {
    this.#automaton = automaton;
    this.#visits = visits;
  }

  /** Number of masks given out so far. */
  get count(): number {
    return this.#count;
  }

  /** Takes the next bytes and returns those that are settled. The result never aliases the input. */
  push(chunk: Uint8Array): Uint8Array {
    const automaton = this.#automaton;
    const free = this.#heldFrom === this.#position;
    const last = chunk.length - 1;
    // At the end of a chunk the next bytes are unknown: whatever may begin there begins.
    const known = Math.max(0, last - 1);
    const begin = this.#position;
    let index = this.#nodes.length === 0 ? nextStart(automaton, chunk, 0, known) : 0;
    this.#position = begin + index;
    while (index <= last) {
      const begins = index >= known || startsAt(automaton, chunk, index);
      this.#step(chunk[index] ?? 0, begins);
      index += 1;
      if (this.#nodes.length === 0) index = nextStart(automaton, chunk, index, known);
      this.#position = begin + index;
    }
    const boundary = this.#starts[0] ?? this.#position;
    // Most chunks hold no part of any secret: one copy, and nothing to put together.
    if (free && boundary === this.#position && this.#spans.length === 0 && this.#maskedUntil <= begin) {
      this.#heldFrom = boundary;
      return new Uint8Array(chunk);
    }
    this.#held = free ? new Uint8Array(chunk) : concat([this.#held, chunk]);
    return this.#settle(boundary);
  }

  /** Returns what was held back. The stream may be used again afterwards, as if new. */
  end(): Uint8Array {
    this.#nodes = [];
    this.#starts = [];
    return this.#settle(this.#position);
  }

  #step(byte: number, begins: boolean): void {
    const { startIndex, startTo, edgeIndex, edgeByte, edgeTo } = this.#automaton;
    const nodes = this.#nodes;
    this.#position += 1;
    this.#visits.nextStep();
    this.#nextNodes.length = 0;
    this.#nextStarts.length = 0;
    for (let index = 0; index < nodes.length; index += 1) {
      const node = nodes[index] ?? 0;
      const start = this.#starts[index] ?? 0;
      const endEdge = edgeIndex[node + 1] ?? 0;
      for (let edge = edgeIndex[node] ?? 0; edge < endEdge; edge += 1) {
        if (edgeByte[edge] === byte) this.#reach(edgeTo[edge] ?? 0, start);
      }
    }
    const endStart = begins ? (startIndex[byte + 1] ?? 0) : 0;
    for (let edge = startIndex[byte] ?? 0; edge < endStart; edge += 1) {
      this.#reach(startTo[edge] ?? 0, this.#position - 1);
    }
    [this.#nodes, this.#nextNodes] = [this.#nextNodes, this.#nodes];
    [this.#starts, this.#nextStarts] = [this.#nextStarts, this.#starts];
  }

  #reach(node: number, start: number): void {
    if (!this.#visits.isFirst(node)) return;
    const { accepting, edgeIndex } = this.#automaton;
    if (accepting[node] === 1 && this.#spans.at(-1)?.end !== this.#position) {
      this.#spans.push({ start, end: this.#position });
    }
    if (edgeIndex[node] === edgeIndex[node + 1]) return;
    this.#nextNodes.push(node);
    this.#nextStarts.push(start);
  }

  /** Gives out everything before `boundary`: no match that is still to come can begin before it. */
  #settle(boundary: number): Uint8Array {
    const parts: Uint8Array[] = [];
    const ready = this.#spans.filter((span) => span.start < boundary).sort((left, right) => left.start - right.start);
    this.#spans = this.#spans.filter((span) => span.start >= boundary);
    let cursor = this.#heldFrom;
    const copyUntil = (end: number): void => {
      const from = Math.max(cursor, this.#maskedUntil);
      if (end > from) parts.push(this.#held.subarray(from - this.#heldFrom, end - this.#heldFrom));
      cursor = Math.max(cursor, end);
    };
    for (const span of ready) {
      copyUntil(span.start);
      if (span.start >= this.#maskedUntil) {
        parts.push(maskBytes);
        this.#count += 1;
      }
      this.#maskedUntil = Math.max(this.#maskedUntil, span.end);
    }
    copyUntil(boundary);
    this.#held = this.#held.slice(boundary - this.#heldFrom);
    this.#heldFrom = boundary;
    return concat(parts);
  }
}

type Triples = Pick<Automaton, 'startTo' | 'startTriples' | 'nearTriples'>;

/** True when a match may begin with the three bytes from `index` on. */
function startsAt({ startTriples }: Triples, chunk: Uint8Array, index: number): boolean {
  return startTriples[tripleHash(chunk[index] ?? 0, chunk[index + 1] ?? 0, chunk[index + 2] ?? 0)] === 1;
}

/**
 * The first place from `index` on, below `end`, where a match may begin; `end` or a later `index` when there is none.
 * Bytes up to `end + 1` are there. Nearly all the time of a long answer without secrets is spent here: it looks at every
 * other place, whether a match that began there or one before could have its first or second byte there.
 */
function nextStart(triples: Triples, chunk: Uint8Array, index: number, end: number): number {
  const { nearTriples } = triples;
  if (triples.startTo.length === 0) return Math.max(index, end);
  let at = index;
  let first = chunk[at + 1] ?? 0;
  for (; at + 1 < end; at += 2) {
    const third = chunk[at + 3] ?? 0;
    if (nearTriples[tripleHash(first, chunk[at + 2] ?? 0, third)] === 1) {
      if (startsAt(triples, chunk, at)) return at;
      if (startsAt(triples, chunk, at + 1)) return at + 1;
    }
    first = third;
  }
  return at < end && !startsAt(triples, chunk, at) ? at + 1 : at;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

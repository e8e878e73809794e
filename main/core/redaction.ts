import { type Automaton, AutomatonBuilder, placeAfter } from './redactionAutomaton.ts';
import { DecoderBuilder } from './redactionDecoder.ts';
import { StartFilter } from './redactionFilter.ts';
import { SecretSpellings } from './redactionPatterns.ts';
import { Pieces } from './redactionPieces.ts';
import { secretTerms } from './secretTerms.ts';
import { atOnce, Pace, type Slices } from './slices.ts';

/** What stands in place of any secret: the same for all, so that neither the name nor the length shows. */
export const REDACTION_MASK = '[redacted]';

const maskBytes = new TextEncoder().encode(REDACTION_MASK);

export type NamedSecret = Readonly<{ name: string; value: string }>;

function* makeSearch(secrets: readonly NamedSecret[]): Slices<Search> {
  const pieces = new Pieces();
  const decoder = new DecoderBuilder();
  const builder = new AutomatonBuilder(pieces, decoder);
  const spellings = new SecretSpellings(builder, decoder, pieces);
  const pace = new Pace();
  for (const term of new Set(secrets.flatMap((secret) => secretTerms(secret.value)))) {
    spellings.add(term);
    if (pace.isDue(unitsACharacter * term.length)) yield;
  }
  const automaton = yield* builder.freeze();
  return { automaton, filter: yield* StartFilter.build(automaton), visits: new Visits() };
}

// The patterns of one character: of each spelling one piece or more.
const unitsACharacter = 32;

/**
 * Replaces secret values, in all their common encodings, by a fixed mask. Built once per set of secrets; each output
 * stream takes its own `stream()`. Works on bytes: decode to text only after it.
 * Not covered: ciphers and rot13, text printed one character a line, fragments of a secret.
 */
export class Redactor {
  readonly #search: Search;

  constructor(secrets: readonly NamedSecret[] | Search) {
    this.#search = 'automaton' in secrets ? secrets : atOnce(makeSearch(secrets));
  }

  /** The same, made in slices: many values take a second, which is too long for one turn of the event loop. */
  static *build(secrets: readonly NamedSecret[]): Slices<Redactor> {
    return new Redactor(yield* makeSearch(secrets));
  }

  /** A new stream with its own overlap buffer. */
  stream(): RedactionStream {
    return new RedactionStream(this.#search);
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

/** What all streams of one redactor share. */
type Search = Readonly<{ automaton: Automaton; filter: StartFilter; visits: Visits }>;

/**
 * What was reached in the current step: places with nodes, in a table of hashes. A step is never interrupted, so all
 * streams of one redactor share it.
 */
class Visits {
  #step = 0;
  #count = 0;
  #steps = new Float64Array(1024);
  #places = new Int32Array(1024);
  #nodes = new Int32Array(1024);

  nextStep(): void {
    this.#step += 1;
    this.#count = 0;
  }

  /** True the first time in this step. */
  isFirst(place: number, node: number): boolean {
    const mask = this.#steps.length - 1;
    let slot = (Math.imul(place, 0x9e3779b1) ^ Math.imul(node, 0x85ebca6b)) >>> 8;
    for (slot &= mask; this.#steps[slot] === this.#step; slot = (slot + 1) & mask) {
      if (this.#places[slot] === place && this.#nodes[slot] === node) return false;
    }
    this.#steps[slot] = this.#step;
    this.#places[slot] = place;
    this.#nodes[slot] = node;
    this.#count += 1;
    if (2 * this.#count > mask) this.#grow();
    return true;
  }

  #grow(): void {
    const reached = [...this.#steps.keys()].filter((slot) => this.#steps[slot] === this.#step);
    const [places, nodes] = [this.#places, this.#nodes];
    const size = 2 * places.length;
    this.#steps = new Float64Array(size);
    this.#places = new Int32Array(size);
    this.#nodes = new Int32Array(size);
    this.#count = 0;
    for (const slot of reached) this.isFirst(places[slot] ?? 0, nodes[slot] ?? 0);
  }
}

type Span = Readonly<{ start: number; end: number }>;

type Active = Readonly<{ places: number[]; nodes: number[]; starts: number[] }>;

function clear({ places, nodes, starts }: Active): void {
  places.length = 0;
  nodes.length = 0;
  starts.length = 0;
}

/**
 * Redacts one stream of bytes. Every byte that belongs to any match is masked; overlapping matches share one mask, so no
 * tail of a second secret survives. Holds back only bytes that may yet turn out to be part of a match.
 */
export class RedactionStream {
  readonly #search: Search;
  // Matches in progress, oldest first: at most one per place and node, the one that began first.
  #active: Active = { places: [], nodes: [], starts: [] };
  #next: Active = { places: [], nodes: [], starts: [] };
  #position = 0;
  // Bytes from #heldFrom to #position are not given out yet.
  #held: Uint8Array = new Uint8Array(0);
  #heldFrom = 0;
  #spans: Span[] = [];
  #maskedUntil = 0;
  #count = 0;

  constructor(search: Search) {
    this.#search = search;
  }

  /** Number of masks given out so far. */
  get count(): number {
    return this.#count;
  }

  /** Takes the next bytes and returns those that are settled. The result never aliases the input. */
  push(chunk: Uint8Array): Uint8Array {
    const { filter } = this.#search;
    const free = this.#heldFrom === this.#position;
    const begin = this.#position;
    let index = this.#active.starts.length === 0 ? filter.nextStart(chunk, 0) : 0;
    while (index < chunk.length) {
      this.#position = begin + index;
      this.#step(chunk[index] ?? 0, filter.mayStart(chunk, index));
      index += 1;
      if (this.#active.starts.length === 0) index = filter.nextStart(chunk, index);
    }
    this.#position = begin + chunk.length;
    const boundary = this.#active.starts[0] ?? this.#position;
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
    clear(this.#active);
    return this.#settle(this.#position);
  }

  #step(byte: number, begins: boolean): void {
    const { automaton, visits } = this.#search;
    const { edgeIndex, edgeByte, edgeTo } = automaton.decoder;
    const { places, nodes, starts } = this.#active;
    this.#position += 1;
    visits.nextStep();
    for (let index = 0; index < nodes.length; index += 1) {
      const node = nodes[index] ?? 0;
      const endEdge = edgeIndex[node + 1] ?? 0;
      for (let edge = edgeIndex[node] ?? 0; edge < endEdge; edge += 1) {
        if (edgeByte[edge] === byte) this.#reach(places[index] ?? 0, edgeTo[edge] ?? 0, starts[index] ?? 0);
      }
    }
    if (begins) {
      const { startIndex, startTo } = automaton;
      const endStart = startIndex[byte + 1] ?? 0;
      for (let edge = startIndex[byte] ?? 0; edge < endStart; edge += 1) {
        this.#reach(0, startTo[edge] ?? 0, this.#position - 1);
      }
    }
    [this.#active, this.#next] = [this.#next, this.#active];
    clear(this.#next);
  }

  #reach(from: number, reached: number, start: number): void {
    const { automaton, visits } = this.#search;
    const exit = automaton.decoder.exit[reached] ?? -1;
    const place = exit < 0 ? from : placeAfter(automaton, from, exit);
    const node = exit < 0 ? reached : (automaton.entry[place] ?? 0);
    if (!visits.isFirst(place, node)) return;
    if (exit >= 0 && automaton.accepting.has(place) && this.#spans.at(-1)?.end !== this.#position) {
      this.#spans.push({ start, end: this.#position });
    }
    if (node === 0) return;
    this.#next.places.push(place);
    this.#next.nodes.push(node);
    this.#next.starts.push(start);
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

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

import type { Decoder, DecoderBuilder } from './redactionDecoder.ts';
import type { Pieces } from './redactionPieces.ts';
import { Pace, type Slices } from './slices.ts';

// Values of one service begin alike, and everybody knows how; so much of the beginning is shared. Text that repeats a
// beginning would else be compared with every value at every byte. A token's head of JSON takes about 40 characters.
const sharedPieces = 64;

/** A piece in its spellings is so much work to write, against one that is looked at. */
const entryUnits = 64;

/**
 * Patterns over pieces (a character, a byte in hex, six bits in base64), each of which a decoder reads in all its
 * spellings. How far a match is, is told by two numbers: the place in the patterns, and the node of the decoder inside
 * the next piece. So a long value costs a few bytes a piece, not a graph of all its spellings.
 *
 * Why not Aho-Corasick over literal strings: escapes can be mixed freely (`%41B%43`), and spelling out every mix is
 * exponential. Here each piece has its spellings side by side.
 *
 * Places below `branchCount` form a tree and have their next places in `childTo`, by exit of the decoder; beyond it,
 * where no patterns are shared, the next place is the next number. Place 0 is the beginning of all patterns.
 */
export type Automaton = Readonly<{
  decoder: Decoder;
  branchCount: number;
  placeCount: number;
  childIndex: Int32Array;
  childTo: Int32Array;
  /** The node where the decoder begins at a place; 0 where nothing follows. */
  entry: Uint16Array | Uint32Array;
  accepting: ReadonlySet<number>;
  /** No match has fewer bytes; infinite when there is nothing to look for. */
  shortest: number;
  /** Nodes that the first byte of a match leads to, grouped by byte: `startTo[startIndex[b] .. startIndex[b + 1])`. */
  startIndex: Int32Array;
  startTo: Int32Array;
}>;

/** The place that follows when the decoder has come to an exit. */
export function placeAfter({ branchCount, childIndex, childTo }: Automaton, place: number, exit: number): number {
  return place < branchCount ? (childTo[(childIndex[place] ?? 0) + exit] ?? 0) : place + 1;
}

export type Pattern = Readonly<{
  pieces: readonly number[];
  /** A piece before the first that is swallowed when it is there. */
  lead?: number | undefined;
  /** The last piece is swallowed when it is there, and not required. */
  openEnd?: boolean;
}>;

/** `tails`: children of which nothing is shared any more, with how much of the pattern is read when they are reached. */
type Branch = Readonly<{
  pieces: number[];
  to: number[];
  tails: Readonly<{ child: number; pattern: Pattern; read: number }>[];
}>;

export class AutomatonBuilder {
  readonly #pieces: Pieces;
  readonly #decoder: DecoderBuilder;
  readonly #patterns: Pattern[] = [];
  readonly #branches: Branch[] = [];
  readonly #accepting = new Set<number>();
  readonly #pace = new Pace();
  #shortest = Number.POSITIVE_INFINITY;

  constructor(pieces: Pieces, decoder: DecoderBuilder) {
    this.#pieces = pieces;
    this.#decoder = decoder;
  }

  add(pattern: Pattern): void {
    this.#patterns.push(pattern);
    // A piece has one byte at least.
    this.#shortest = Math.min(this.#shortest, pattern.pieces.length - (pattern.openEnd === true ? 1 : 0));
  }

  *freeze(): Slices<Automaton> {
    yield* this.#branch(this.#patterns, 0);
    const leads = this.#addLeads();
    const entries = new EntryTable(this.#pieces, this.#decoder);
    const branchCount = this.#branches.length;
    const { entry, placeCount } = yield* this.#layTails(entries);
    this.#joinLeads(leads);
    const childIndex = new Int32Array(branchCount + 1);
    const childTo: number[] = [];
    for (const [place, { pieces, to }] of this.#branches.entries()) {
      entry[place] = entries.ofAll(pieces);
      if (this.#pace.isDue(entryUnits * pieces.length)) yield;
      childTo.push(...to);
      childIndex[place + 1] = childTo.length;
    }
    const decoder = this.#decoder.freeze();
    return {
      ...{ decoder, branchCount, placeCount, childIndex, accepting: this.#accepting },
      childTo: Int32Array.from(childTo),
      entry: decoder.nodeCount <= 0xffff ? Uint16Array.from(entry) : entry,
      shortest: this.#shortest,
      ...startsOf(decoder, entry[0] ?? 0),
    };
  }

  /** The place that patterns come to that are alike in their first `read` pieces. */
  *#branch(patterns: readonly Pattern[], read: number): Slices<number> {
    const place = this.#branches.push({ pieces: [], to: [], tails: [] }) - 1;
    const groups = new Map<number, Pattern[]>();
    for (const pattern of patterns) {
      const left = pattern.pieces.length - read;
      if (left === 0 || (left === 1 && pattern.openEnd === true)) this.#accepting.add(place);
      const piece = pattern.pieces[read];
      if (piece === undefined) continue;
      const group = groups.get(piece);
      if (group === undefined) groups.set(piece, [pattern]);
      else group.push(pattern);
    }
    if (this.#pace.isDue(patterns.length)) yield;
    for (const [piece, group] of groups) {
      const alone = group.length === 1 || read + 1 >= sharedPieces;
      if (!alone) this.#link(place, piece, yield* this.#branch(group, read + 1));
      else for (const pattern of group) this.#tail(place, piece, pattern, read + 1);
    }
    return place;
  }

  #link(place: number, piece: number, to: number): void {
    const branch = this.#branches[place];
    branch?.pieces.push(piece);
    branch?.to.push(to);
  }

  #tail(place: number, piece: number, pattern: Pattern, read: number): void {
    const branch = this.#branches[place];
    branch?.tails.push({ child: branch.pieces.length, pattern, read });
    this.#link(place, piece, 0);
  }

  /** Places after the leads: what follows there is what follows without them, and is not laid twice. */
  #addLeads(): readonly Branch[] {
    const followers = new Map<number, Set<number>>();
    for (const { lead, pieces } of this.#patterns) {
      if (lead === undefined || pieces[0] === undefined) continue;
      followers.set(lead, (followers.get(lead) ?? new Set()).add(pieces[0]));
    }
    return [...followers].map(([lead, pieces]) => {
      this.#link(0, lead, this.#branches.length);
      const branch: Branch = { pieces: [...pieces], to: [], tails: [] };
      this.#branches.push(branch);
      return branch;
    });
  }

  #joinLeads(leads: readonly Branch[]): void {
    const [beginning] = this.#branches;
    const places = new Map<number, number>();
    for (const [index, piece] of (beginning?.pieces ?? []).entries()) {
      if (!places.has(piece)) places.set(piece, beginning?.to[index] ?? 0);
    }
    for (const { pieces, to } of leads) to.push(...pieces.map((piece) => places.get(piece) ?? 0));
  }

  /** Numbers the places of all tails and says where the decoder begins at each. */
  *#layTails(entries: EntryTable): Slices<Readonly<{ entry: Uint32Array; placeCount: number }>> {
    const tails = this.#branches.flatMap((branch) => branch.tails.map((tail) => ({ ...tail, to: branch.to })));
    const lengths = tails.reduce((sum, { pattern, read }) => sum + pattern.pieces.length - read + 1, 0);
    const placeCount = this.#branches.length + lengths;
    const entry = new Uint32Array(placeCount);
    let place = this.#branches.length;
    for (const { to, child, pattern, read } of tails) {
      const { pieces, openEnd } = pattern;
      to[child] = place;
      for (let index = read; index < pieces.length; index += 1) {
        if (openEnd === true && index === pieces.length - 1) this.#accepting.add(place);
        entry[place] = entries.of(pieces[index] ?? 0);
        place += 1;
      }
      this.#accepting.add(place);
      place += 1;
      if (this.#pace.isDue(pieces.length - read)) yield;
    }
    return { entry, placeCount };
  }
}

/** Where the decoder begins to read any one of some pieces; the same entry for the same pieces. */
class EntryTable {
  readonly #pieces: Pieces;
  readonly #decoder: DecoderBuilder;
  readonly #single: number[] = [];
  readonly #several = new Map<string, number>();

  constructor(pieces: Pieces, decoder: DecoderBuilder) {
    this.#pieces = pieces;
    this.#decoder = decoder;
  }

  of(piece: number): number {
    const entry = this.#single[piece] ?? this.#make([piece]);
    this.#single[piece] = entry;
    return entry;
  }

  ofAll(pieces: readonly number[]): number {
    const [first] = pieces;
    if (first === undefined) return 0;
    if (pieces.length === 1) return this.of(first);
    const key = pieces.join();
    const entry = this.#several.get(key) ?? this.#make(pieces);
    this.#several.set(key, entry);
    return entry;
  }

  #make(pieces: readonly number[]): number {
    const entry = this.#decoder.entry();
    for (const [exit, piece] of pieces.entries()) this.#pieces.write(piece, [entry], this.#decoder.node(exit));
    return entry;
  }
}

function startsOf({ edgeIndex, edgeByte, edgeTo }: Decoder, entry: number): Pick<Automaton, 'startIndex' | 'startTo'> {
  const byByte: number[][] = Array.from({ length: 256 }, () => []);
  for (let edge = edgeIndex[entry] ?? 0; edge < (edgeIndex[entry + 1] ?? 0); edge += 1) {
    byByte[edgeByte[edge] ?? 0]?.push(edgeTo[edge] ?? 0);
  }
  const startIndex = new Int32Array(257);
  for (const [byte, nodes] of byByte.entries()) startIndex[byte + 1] = (startIndex[byte] ?? 0) + nodes.length;
  return { startIndex, startTo: Int32Array.from(byByte.flat()) };
}

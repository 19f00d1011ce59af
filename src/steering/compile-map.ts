import { GrowingWords } from '../geo/growing-words.ts';
import type { ClientLocation } from '../geo/location.ts';
import {
  MAP_DATA_CENTER_COUNT,
  MAP_DRAW_MARKS,
  MAP_HEADER_WORDS,
  MAP_MAGIC,
  MAP_PROGRAM_COUNT,
  MAP_PROGRAM_TABLE,
  MAP_V4_ROOT,
  MAP_V4_ROOT_SHIFT,
  MAP_V6_ROOT,
  MAP_V6_ROOT_SHIFT,
  MAX_MAP_PROGRAMS,
} from '../geo/map.ts';
import { type FamilyRanges, type GeoTable, locationAt } from '../geo/table.ts';
import { type AllocateImage, allocatePlain } from '../snapshot/allocate-image.ts';
import { MAX_RANKED_DATA_CENTERS } from './limits.ts';
import { buildTrie, type ProgramRanges } from './map-trie.ts';
import { NodeStore } from './node-store.ts';
import type { Candidate, PolicyNode } from './policy.ts';
import { type PrefixRegions, prefixRegions, prefixRulesOf } from './prefix-rules.ts';
import type { Program } from './program.ts';
import { ProgramTable } from './program-table.ts';
import { createRanking } from './rank.ts';

/** What a map is compiled from, besides the geo table. */
export interface MapSource {
  /** References resolved; see `resolvePolicy`. */
  readonly policy: PolicyNode;
  /** At most `MAX_RANKED_DATA_CENTERS`, with numbers below that. */
  readonly candidates: readonly Candidate[];
}

/**
 * Compiles the map image of `geo/map.ts`. Each distinct place is ranked once; an address that the table does not
 * know gets the ranking of the unknown place. Throws a RangeError where a bound is broken, which checks on the
 * configuration rule out.
 */
export function compileMap(source: MapSource, table: GeoTable, allocate = allocatePlain): SharedArrayBuffer {
  const { policy, candidates } = source;
  for (const { name, index } of candidates)
    if (index < 0 || index >= MAX_RANKED_DATA_CENTERS)
      throw new RangeError(`data center ${name} has number ${index}; at most ${MAX_RANKED_DATA_CENTERS} fit`);
  const programs = new ProgramTable();
  const memo = new RankMemo(table, programs, createRanking(policy, candidates));
  const rangesOf = (family: 4 | 6): ProgramRanges => {
    const regions = prefixRegions(prefixRulesOf(policy, family), family);
    return programRanges(family === 4 ? table.v4 : table.v6, regions, memo);
  };
  const v4 = rangesOf(4);
  const v6 = rangesOf(6);
  if (programs.count > MAX_MAP_PROGRAMS)
    throw new RangeError(`a map has at most ${MAX_MAP_PROGRAMS} programs`);
  return layOut(
    programs,
    v4,
    v6,
    Math.max(0, ...candidates.map((candidate) => candidate.index + 1)),
    allocate,
  );
}

const NOT_RANKED = -1;

/** The program number of a location, under one set of prefix rules. */
type NumberOf = (location: number) => number;

/** Ranks each place once for each set of prefix rules that hold. */
class RankMemo {
  readonly #table: GeoTable;
  readonly #programs: ProgramTable;
  readonly #rank: (client: ClientLocation) => Program;
  readonly #outsideRules: NumberOf;

  constructor(table: GeoTable, programs: ProgramTable, rank: (client: ClientLocation) => Program) {
    this.#table = table;
    this.#programs = programs;
    this.#rank = rank;
    const known = new Int32Array(table.locationCount).fill(NOT_RANKED);
    this.#outsideRules = (location) => {
      if (known[location] === NOT_RANKED) known[location] = this.#number(location, []);
      return known[location] as number;
    };
  }

  /**
   * Outside all rules nearly every place is met, in both families. Inside rules few are: there may be thousands of
   * sets, and hundreds of thousands of places, so that a column for each set would not fit into memory.
   */
  under(prefixes: readonly string[]): NumberOf {
    if (prefixes.length === 0) return this.#outsideRules;
    const known = new Map<number, number>();
    return (location) => {
      const number = known.get(location) ?? this.#number(location, prefixes);
      known.set(location, number);
      return number;
    };
  }

  #number(location: number, prefixes: readonly string[]): number {
    return this.#programs.number(this.#rank(locationAt(this.#table, location, prefixes)));
  }
}

/** Walks the table's ranges and the rules' regions together; a new range opens where the program changes. */
function programRanges(ranges: FamilyRanges, regions: PrefixRegions, memo: RankMemo): ProgramRanges {
  const { addressWords } = ranges;
  const most = ranges.count + regions.count;
  const starts = new GrowingWords(most * addressWords);
  const numbers = new GrowingWords(most);
  const numberOfBySet = regions.sets.map((prefixes) => memo.under(prefixes));
  let range = 0;
  let region = 0;
  let fromRegion = false;
  let latest = NOT_RANKED;
  for (;;) {
    const location = ranges.locations[range] as number;
    const numberOf = numberOfBySet[regions.setOf[region] as number] as NumberOf;
    const program = numberOf(location);
    if (program !== latest) {
      latest = program;
      const from = fromRegion ? regions.starts : ranges.starts;
      const base = (fromRegion ? region : range) * addressWords;
      for (let word = 0; word < addressWords; word++) starts.push(from[base + word] as number);
      numbers.push(program);
    }
    const order = compareNext(ranges, range + 1, regions, region + 1);
    if (order === undefined) break;
    if (order <= 0) range += 1;
    if (order >= 0) region += 1;
    fromRegion = order > 0;
  }
  return { addressWords, count: numbers.length, starts: starts.view(), programs: numbers.view() };
}

/** Which starts first: negative the range, positive the region, 0 both at once; undefined when both are at an end. */
function compareNext(
  ranges: FamilyRanges,
  range: number,
  regions: PrefixRegions,
  region: number,
): number | undefined {
  if (region >= regions.count) return range < ranges.count ? -1 : undefined;
  if (range >= ranges.count) return 1;
  const { addressWords } = ranges;
  for (let word = 0; word < addressWords; word++) {
    const difference =
      (ranges.starts[range * addressWords + word] as number) -
      (regions.starts[region * addressWords + word] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Header, nodes, roots, program table and code: nodes come first, so that they know where they stand. */
function layOut(
  programs: ProgramTable,
  v4: ProgramRanges,
  v6: ProgramRanges,
  dataCenterCount: number,
  allocate: AllocateImage,
): SharedArrayBuffer {
  const nodes = new NodeStore(MAP_HEADER_WORDS);
  const v4Trie = buildTrie(v4, nodes);
  const v6Trie = buildTrie(v6, nodes);
  const v4Root = MAP_HEADER_WORDS + nodes.view().length;
  const v6Root = v4Root + v4Trie.root.length;
  const programTable = v6Root + v6Trie.root.length;
  const code = programs.encode(programTable);
  const image = allocate((programTable + code.length) * 4);
  const words = new Int32Array(image);
  words[0] = MAP_MAGIC;
  words[MAP_V4_ROOT] = v4Root;
  words[MAP_V4_ROOT_SHIFT] = v4Trie.rootShift;
  words[MAP_V6_ROOT] = v6Root;
  words[MAP_V6_ROOT_SHIFT] = v6Trie.rootShift;
  words[MAP_PROGRAM_TABLE] = programTable;
  words[MAP_PROGRAM_COUNT] = programs.count;
  words[MAP_DATA_CENTER_COUNT] = dataCenterCount;
  words[MAP_DRAW_MARKS] = programs.drawMarks();
  words.set(nodes.view(), MAP_HEADER_WORDS);
  words.set(v4Trie.root, v4Root);
  words.set(v6Trie.root, v6Root);
  words.set(code, programTable);
  return image;
}

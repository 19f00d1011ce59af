import type { GeoMap } from '../geo/map.ts';
import type { RandomSource } from './program.ts';

/**
 * Programs as words of a map image. The program table holds the word offset of each program's code.
 *
 *     data-center   [ CODE_DATA_CENTER ] [ number ]
 *     sequence      [ CODE_SEQUENCE    ] [ n ] n times [ word offset of the part ]
 *     weighted      [ CODE_WEIGHTED    ] [ n ] n times [ weight ] [ word offset of the choice ]
 *     order         [ CODE_ORDER       ] [ n ] [ four data center numbers ] ...     all distinct
 *
 * An order is what nearly every sequence is: data centers and nothing to draw. Its numbers are octets, the first in
 * the lowest bits of a word: a map may have tens of thousands of orders of fifty.
 */
export const CODE_DATA_CENTER = 0;
export const CODE_SEQUENCE = 1;
export const CODE_WEIGHTED = 2;
export const CODE_ORDER = 3;

/**
 * Writes the distinct data center numbers of one run, best first, and returns how many; stops when `order` is full.
 * Throws a RangeError when the map has no such program. Allocates nothing.
 */
export function runProgram(map: GeoMap, program: number, random: RandomSource, order: Uint16Array): number {
  if (program < 0 || program >= map.programCount) throw new RangeError(`the map has no program ${program}`);
  const code = wordAt(map, map.programTable + program);
  // Nearly every program is one order, whose numbers are distinct: there is nothing to draw and nothing to mark.
  if (wordAt(map, code) === CODE_ORDER) return copyOrder(map, code + 2, wordAt(map, code + 1), order);
  map.run = (map.run + 1) >>> 0;
  if (map.run === 0) {
    map.seen.fill(0);
    map.run = 1;
  }
  return runCode(map, code, random, order, 0, 0);
}

/** `count`: numbers written so far. `marks`: first free mark in `map.drawn`. Returns the new count. */
function runCode(
  map: GeoMap,
  code: number,
  random: RandomSource,
  order: Uint16Array,
  count: number,
  marks: number,
): number {
  const operand = wordAt(map, code + 1);
  switch (wordAt(map, code)) {
    case CODE_ORDER:
      return appendAll(map, code + 2, operand, order, count);
    case CODE_DATA_CENTER:
      return append(map, operand, order, count);
    case CODE_SEQUENCE: {
      let written = count;
      for (let part = 0; part < operand; part++)
        written = runCode(map, wordAt(map, code + 2 + part), random, order, written, marks);
      return written;
    }
    case CODE_WEIGHTED:
      return runWeighted(map, code + 2, operand, random, order, count, marks);
    default:
      throw new Error('broken program code in a map image');
  }
}

/** A weighted random permutation: draws among the remaining choices, in proportion to their weights, until none is left. */
function runWeighted(
  map: GeoMap,
  choices: number,
  choiceCount: number,
  random: RandomSource,
  order: Uint16Array,
  count: number,
  marks: number,
): number {
  let written = count;
  let remainingWeight = 0;
  for (let choice = 0; choice < choiceCount; choice++) {
    map.drawn[marks + choice] = 0;
    remainingWeight += wordAt(map, choices + 2 * choice);
  }
  for (let round = 0; round < choiceCount; round++) {
    const choice = draw(map, choices, choiceCount, remainingWeight, random, marks);
    map.drawn[marks + choice] = 1;
    remainingWeight -= wordAt(map, choices + 2 * choice);
    const code = wordAt(map, choices + 2 * choice + 1);
    written = runCode(map, code, random, order, written, marks + choiceCount);
  }
  return written;
}

/** Choices of weight 0 come last, in the order in which they stand. */
function draw(
  map: GeoMap,
  choices: number,
  choiceCount: number,
  remainingWeight: number,
  random: RandomSource,
  marks: number,
): number {
  let ticket = remainingWeight === 0 ? 0 : Math.floor((random.nextUint32() * remainingWeight) / 2 ** 32);
  let last = 0;
  for (let choice = 0; choice < choiceCount; choice++) {
    if (map.drawn[marks + choice] === 1) continue;
    const weight = wordAt(map, choices + 2 * choice);
    if (remainingWeight === 0) return choice;
    if (weight === 0) continue;
    if (ticket < weight) return choice;
    ticket -= weight;
    last = choice;
  }
  return last;
}

function copyOrder(map: GeoMap, numbers: number, length: number, order: Uint16Array): number {
  const { words } = map;
  const count = Math.min(length, order.length);
  for (let at = 0; at < count; at++) order[at] = numberAt(words, numbers, at);
  return count;
}

function appendAll(map: GeoMap, numbers: number, length: number, order: Uint16Array, count: number): number {
  const { words } = map;
  let written = count;
  for (let at = 0; at < length; at++) written = append(map, numberAt(words, numbers, at), order, written);
  return written;
}

function numberAt(words: Int32Array, numbers: number, at: number): number {
  return ((words[numbers + (at >>> 2)] as number) >>> ((at & 3) << 3)) & 0xff;
}

function append(map: GeoMap, dataCenter: number, order: Uint16Array, count: number): number {
  if (count === order.length || map.seen[dataCenter] === map.run) return count;
  map.seen[dataCenter] = map.run;
  order[count] = dataCenter;
  return count + 1;
}

function wordAt(map: GeoMap, at: number): number {
  return map.words[at] as number;
}

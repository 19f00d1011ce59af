import { GrowingWords } from '../geo/growing-words.ts';
import type { Program, WeightedChoice } from './program.ts';
import { CODE_DATA_CENTER, CODE_ORDER, CODE_SEQUENCE, CODE_WEIGHTED } from './run-program.ts';

/** The letter o: begins the key of an order. */
const ORDER_MARK = 0x6f;

/** Several times the distinct orders of fifty data centers over a city table. */
const MAX_SEEN_PROGRAMS = 2 ** 18;

/** Numbers programs by their canonical form, and turns them into the code that `runProgram` reads. */
export class ProgramTable {
  readonly #numbers = new Map<string, number>();
  /** Programs that were seen before, by object: policies give the same one for the same order where they can. */
  readonly #seen = new Map<Program, number>();
  readonly #programs: Program[] = [];

  get count(): number {
    return this.#programs.length;
  }

  /** Equal numbers for programs that always give the same orders with the same chances, as far as their form tells. */
  number(program: Program): number {
    const seen = this.#seen.get(program);
    if (seen !== undefined) return seen;
    const number = this.#numberByForm(program);
    // A policy that makes an object per place must not fill the memory with them.
    if (this.#seen.size === MAX_SEEN_PROGRAMS) this.#seen.clear();
    this.#seen.set(program, number);
    return number;
  }

  #numberByForm(program: Program): number {
    // Nearly all programs are plain orders that were seen before; only new ones are worth simplifying.
    const plain = orderKey(program);
    const seen = plain === undefined ? undefined : this.#numbers.get(plain);
    if (seen !== undefined) return seen;
    const isSimple = plain !== undefined && isCanonicalOrder(plain);
    const simple = isSimple ? program : canonical(program, new Set());
    const key = isSimple ? plain : keyOf(simple);
    const known = this.#numbers.get(key);
    const number = known ?? this.#programs.length;
    if (known === undefined) {
      this.#numbers.set(key, number);
      this.#programs.push(simple);
    }
    if (plain !== undefined) this.#numbers.set(plain, number);
    return number;
  }

  /** The program table and the code behind it; `base` is the word offset where they will stand. */
  encode(base: number): Uint32Array {
    const words = new GrowingWords();
    const offsets: number[] = [];
    const emitter = new CodeEmitter(words, base + this.#programs.length);
    for (const program of this.#programs) offsets.push(emitter.emit(program));
    const encoded = new Uint32Array(offsets.length + words.length);
    encoded.set(offsets);
    encoded.set(words.view(), offsets.length);
    return encoded;
  }

  /** Marks that the most demanding program needs; see `GeoMap.drawn`. */
  drawMarks(): number {
    return this.#programs.reduce((most, program) => Math.max(most, drawMarksOf(program)), 0);
  }
}

/**
 * Flattens sequences, drops what an earlier part always names, and unwraps single choices.
 * A run of a part names all its data centers whatever is drawn, so what follows need not repeat them.
 */
function canonical(program: Program, named: Set<number>): Program {
  switch (program.kind) {
    case 'data-center': {
      if (named.has(program.index)) return { kind: 'sequence', parts: [] };
      named.add(program.index);
      return program;
    }
    case 'sequence': {
      const parts = program.parts.flatMap((part) => {
        const simple = canonical(part, named);
        return simple.kind === 'sequence' ? simple.parts : [simple];
      });
      return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: 'sequence', parts };
    }
    case 'weighted':
      return canonicalWeighted(program.choices, named);
  }
}

function canonicalWeighted(choices: readonly WeightedChoice[], named: Set<number>): Program {
  const before = new Set(named);
  const kept: WeightedChoice[] = [];
  for (const choice of choices) {
    const namedHere = new Set(before);
    const program = canonical(choice.program, namedHere);
    for (const index of namedHere) named.add(index);
    if (program.kind !== 'sequence' || program.parts.length > 0)
      kept.push({ weight: choice.weight, program });
  }
  const [first] = kept;
  if (first === undefined) return { kind: 'sequence', parts: [] };
  return kept.length === 1 ? first.program : { kind: 'weighted', choices: kept };
}

/** The key of an order: one character per data center. Undefined for everything else. */
function orderKey(program: Program): string | undefined {
  if (program.kind !== 'sequence') return undefined;
  const numbers: number[] = [ORDER_MARK];
  for (const part of program.parts) {
    if (part.kind !== 'data-center') return undefined;
    numbers.push(part.index);
  }
  return String.fromCharCode(...numbers);
}

/** True for the key of an order of several data centers, each named once: it is canonical as it stands. */
function isCanonicalOrder(key: string): boolean {
  return key.length > 2 && new Set(key.slice(1)).size === key.length - 1;
}

function keyOf(program: Program): string {
  switch (program.kind) {
    case 'data-center':
      return String.fromCharCode(ORDER_MARK, program.index);
    case 'sequence':
      return orderKey(program) ?? `s(${program.parts.map(keyOf).join(',')})`;
    case 'weighted':
      return `w(${program.choices.map((choice) => `${choice.weight}:${keyOf(choice.program)}`).join(',')})`;
  }
}

function drawMarksOf(program: Program): number {
  switch (program.kind) {
    case 'data-center':
      return 0;
    case 'sequence':
      return Math.max(0, ...program.parts.map(drawMarksOf));
    case 'weighted':
      return (
        program.choices.length + Math.max(...program.choices.map((choice) => drawMarksOf(choice.program)))
      );
  }
}

/** Writes code, parts before the whole; equal parts of different programs share theirs. */
class CodeEmitter {
  readonly #words: GrowingWords;
  readonly #base: number;
  readonly #offsets = new Map<string, number>();

  constructor(words: GrowingWords, base: number) {
    this.#words = words;
    this.#base = base;
  }

  /** The word offset of the program's code. */
  emit(program: Program): number {
    const key = keyOf(program);
    const known = this.#offsets.get(key);
    if (known !== undefined) return known;
    const code = this.#codeOf(program);
    const offset = this.#base + this.#words.length;
    for (const word of code) this.#words.push(word);
    this.#offsets.set(key, offset);
    return offset;
  }

  #codeOf(program: Program): readonly number[] {
    switch (program.kind) {
      case 'data-center':
        return [CODE_DATA_CENTER, program.index];
      case 'sequence': {
        const numbers = program.parts.flatMap((part) => (part.kind === 'data-center' ? [part.index] : []));
        if (numbers.length === program.parts.length)
          return [CODE_ORDER, numbers.length, ...packOctets(numbers)];
        return [CODE_SEQUENCE, program.parts.length, ...program.parts.map((part) => this.emit(part))];
      }
      case 'weighted': {
        const choices = program.choices.flatMap((choice) => [choice.weight, this.emit(choice.program)]);
        return [CODE_WEIGHTED, program.choices.length, ...choices];
      }
    }
  }
}

/** Four numbers below `MAX_RANKED_DATA_CENTERS` to a word, the first in its lowest bits. */
function packOctets(numbers: readonly number[]): readonly number[] {
  const words = new Array<number>(Math.ceil(numbers.length / 4)).fill(0);
  for (const [at, number] of numbers.entries())
    words[at >>> 2] = ((words[at >>> 2] as number) | (number << ((at & 3) << 3))) >>> 0;
  return words;
}

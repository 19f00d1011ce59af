/**
 * What is left of a policy once the client's place is known: an order, with draws where weights ask for them.
 *
 *     sequence                  first fra, then one of the others by weight
 *     |-- data-center fra
 *     `-- weighted
 *         |-- 3: data-center ams
 *         `-- 1: data-center lon
 *
 * Running a program with a random source gives an ordered list of distinct data centers.
 */
export type Program =
  | { readonly kind: 'data-center'; readonly index: number }
  | { readonly kind: 'sequence'; readonly parts: readonly Program[] }
  | { readonly kind: 'weighted'; readonly choices: readonly WeightedChoice[] };

export interface WeightedChoice {
  /** 0 to 65,535; 0 means: only when every other choice is exhausted. */
  readonly weight: number;
  readonly program: Program;
}

/** Random draws are an argument of the core; each worker brings its own source. */
export interface RandomSource {
  /** Uniform over 0 to 2^32 - 1. */
  nextUint32(): number;
}

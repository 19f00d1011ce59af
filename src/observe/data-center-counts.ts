import { readCounters } from './counters.ts';

/**
 * Answers by data center. Workers count by number, and a number may go to another data center once its first one has
 * left the configuration: what had been counted until then is taken off.
 *
 *     number 3     fra fra fra fra | nobody | ams ams
 *     cells        1   2   3   4     4        5   6
 *     told         1   2   3   4     -        1   2
 *                                    ^ base 4, from when the number has its new name
 */
export class DataCenterCounts {
  readonly #counters: () => readonly Float64Array[];
  readonly #nameOf: (index: number) => string | undefined;
  readonly #owners: (string | undefined)[] = [];
  readonly #bases: number[] = [];

  /** `nameOf`: the data center that has, or last had, a number. */
  constructor(counters: () => readonly Float64Array[], nameOf: (index: number) => string | undefined) {
    this.#counters = counters;
    this.#nameOf = nameOf;
  }

  /** Looks who has which number; to be called after every change of the configuration, before many answers follow. */
  follow(): void {
    this.read();
  }

  /** The answers of every data center that has a number. */
  read(): readonly { readonly dataCenter: string; readonly answers: number }[] {
    return readCounters(this.#counters(), 'dataCenters').flatMap(({ value }, index) => {
      const dataCenter = this.#nameOf(index);
      if (this.#owners[index] !== dataCenter) {
        // The first owner has counted from zero, also before it was first looked at.
        if (this.#owners[index] !== undefined) this.#bases[index] = value;
        this.#owners[index] = dataCenter;
      }
      return dataCenter === undefined ? [] : [{ dataCenter, answers: value - (this.#bases[index] ?? 0) }];
    });
  }
}

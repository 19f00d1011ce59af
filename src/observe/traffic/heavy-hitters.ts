/**
 * The heaviest keys of a stream in bounded memory (Metwally et al., "Space-Saving", with weights).
 *
 *     slots    key | count | error      as many as there is room for
 *     heap     slots, the smallest count first: its key gives way to a new one
 *
 * A key that comes when all slots are taken gets the slot of the smallest count, and that count as its error. So for
 * every key that has a slot,  count - error <= true weight <= count,  and a key without one has at most the `floor`,
 * which is at most the total divided by the capacity. A key heavier than that is never missing.
 */
export class HeavyHitters<K> {
  readonly #capacity: number;
  readonly #slotOf = new Map<K, number>();
  readonly #keys: K[] = [];
  #counts = new Float64Array(FIRST_SLOTS);
  #errors = new Float64Array(FIRST_SLOTS);
  #heap = new Int32Array(FIRST_SLOTS);
  /** Of each slot, its position in the heap. */
  #places = new Int32Array(FIRST_SLOTS);

  /** `capacity` is at least 1. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** `weight` is above zero. */
  add(key: K, weight: number): void {
    const known = this.#slotOf.get(key);
    if (known !== undefined) {
      this.#raise(known, weight);
      return;
    }
    const slots = this.#keys.length;
    if (slots < this.#capacity) this.#append(slots, key, weight);
    else this.#replace(this.#heap[0] as number, key, weight);
  }

  /** The most that a key without a slot can have. */
  get floor(): number {
    return this.#keys.length < this.#capacity ? 0 : (this.#counts[this.#heap[0] as number] as number);
  }

  get size(): number {
    return this.#keys.length;
  }

  /** Every key that has a slot, in no order, with the most it can have and how far that may be too much. */
  forEach(visit: (key: K, count: number, error: number) => void): void {
    for (const [slot, key] of this.#keys.entries())
      visit(key, this.#counts[slot] as number, this.#errors[slot] as number);
  }

  #append(slot: number, key: K, weight: number): void {
    if (slot === this.#counts.length) this.#grow();
    this.#slotOf.set(key, slot);
    this.#keys.push(key);
    this.#counts[slot] = weight;
    this.#errors[slot] = 0;
    this.#heap[slot] = slot;
    this.#places[slot] = slot;
    this.#rise(slot);
  }

  #replace(slot: number, key: K, weight: number): void {
    this.#slotOf.delete(this.#keys[slot] as K);
    this.#slotOf.set(key, slot);
    this.#keys[slot] = key;
    this.#errors[slot] = this.#counts[slot] as number;
    this.#raise(slot, weight);
  }

  #raise(slot: number, weight: number): void {
    this.#counts[slot] = (this.#counts[slot] as number) + weight;
    this.#sink(this.#places[slot] as number);
  }

  #rise(place: number): void {
    let at = place;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#countAt(parent) <= this.#countAt(at)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(place: number): void {
    const size = this.#keys.length;
    let at = place;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= size) return;
      const right = left + 1;
      const least = right < size && this.#countAt(right) < this.#countAt(left) ? right : left;
      if (this.#countAt(at) <= this.#countAt(least)) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #countAt(place: number): number {
    return this.#counts[this.#heap[place] as number] as number;
  }

  #swap(one: number, other: number): void {
    const slot = this.#heap[one] as number;
    this.#heap[one] = this.#heap[other] as number;
    this.#heap[other] = slot;
    this.#places[this.#heap[one] as number] = one;
    this.#places[slot] = other;
  }

  #grow(): void {
    const slots = Math.min(2 * this.#counts.length, Math.max(this.#capacity, FIRST_SLOTS));
    this.#counts = grown(this.#counts, new Float64Array(slots));
    this.#errors = grown(this.#errors, new Float64Array(slots));
    this.#heap = grown(this.#heap, new Int32Array(slots));
    this.#places = grown(this.#places, new Int32Array(slots));
  }
}

/** Most minutes of most nodes see few keys; the arrays double from here. */
const FIRST_SLOTS = 16;

function grown<A extends Float64Array | Int32Array>(from: A, to: A): A {
  to.set(from);
  return to;
}

/** One key over several streams. */
export interface JoinedCount<K> {
  readonly key: K;
  /** It has at least this much. */
  readonly atLeast: number;
  /** And at most this much. */
  readonly atMost: number;
}

/** The heaviest `limit` keys of several streams together, heaviest first by what they have at least. */
export function joinHeaviest<K>(
  streams: readonly HeavyHitters<K>[],
  limit: number,
): readonly JoinedCount<K>[] {
  const floors = streams.reduce((sum, stream) => sum + stream.floor, 0);
  const joined = new Map<K, { key: K; atLeast: number; atMost: number }>();
  for (const stream of streams) {
    const { floor } = stream;
    stream.forEach((key, count, error) => {
      let entry = joined.get(key);
      if (entry === undefined) {
        entry = { key, atLeast: 0, atMost: floors };
        joined.set(key, entry);
      }
      entry.atLeast += count - error;
      // In this stream it has the count, not what a key without a slot may have.
      entry.atMost += count - floor;
    });
  }
  return [...joined.values()]
    .sort((one, other) => other.atLeast - one.atLeast || other.atMost - one.atMost)
    .slice(0, limit);
}

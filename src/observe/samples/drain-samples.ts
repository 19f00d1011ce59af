import { readCounter } from '../counters.ts';
import { decodeSample, type Sample } from './sample.ts';
import { NO_RECORD, RingReader } from './sample-ring.ts';

/** One worker's samples as the main thread sees them. */
interface Source {
  readonly ring: RingReader;
  readonly counters: Float64Array;
  taken: number;
  dropped: number;
}

export interface SampleDrainOptions {
  /** The memory of each worker's ring, and in the same order its counters. */
  readonly rings: readonly SharedArrayBuffer[];
  readonly counters: readonly Float64Array[];
  /** `scale`: how many samples this one stands for, those included that found no room. */
  readonly onSample: (sample: Sample, scale: number) => void;
  readonly onDropped: (samples: number) => void;
  /** Milliseconds on a clock that never goes back. */
  readonly nowMs: () => number;
}

/** A turn takes no longer than this, so that the API and the probes get theirs; what is left waits for the next. */
const TURN_MS = 10;
/** Between two looks at the clock. */
const SAMPLES_PER_LOOK = 32;

/** Takes samples out of the workers' rings. */
export class SampleDrain {
  readonly #options: SampleDrainOptions;
  readonly #sources: readonly Source[];
  /** Who is first in the next turn: a turn that ends early ends for another one each time. */
  #first = 0;

  constructor(options: SampleDrainOptions) {
    this.#options = options;
    this.#sources = options.rings.map((memory, index) => {
      const counters = options.counters[index] ?? new Float64Array(0);
      // What was dropped before anybody looked was in nobody's figures.
      return { ring: new RingReader(memory), counters, ...countsOf(counters) };
    });
  }

  /** Takes what there is, for at most so many turns of about 10 ms. */
  drain(turns: number): void {
    const { nowMs } = this.#options;
    const endMs = nowMs() + turns * TURN_MS;
    for (let turn = 0; turn < this.#sources.length; turn++) {
      const source = this.#sources[(this.#first + turn) % this.#sources.length];
      if (source !== undefined) this.#drainOne(source, endMs);
    }
    this.#first++;
  }

  #drainOne(source: Source, endMs: number): void {
    const { nowMs, onSample } = this.#options;
    const { ring } = source;
    const scale = this.#scaleOf(source);
    for (let count = 1; ; count++) {
      const offset = ring.next();
      if (offset === NO_RECORD) break;
      onSample(decodeSample(ring.words, ring.octets, offset), scale);
      // Not at the very end: a full ring drops samples until then.
      if (count % SAMPLES_PER_LOOK !== 0) continue;
      ring.release();
      if (nowMs() >= endMs) return;
    }
    ring.release();
  }

  /** While the ring is full, samples are dropped evenly; those that got in stand for them. */
  #scaleOf(source: Source): number {
    const { taken, dropped } = countsOf(source.counters);
    const newTaken = taken - source.taken;
    const newDropped = dropped - source.dropped;
    // With none taken, the next ones stand for what was dropped.
    if (newTaken <= 0) return 1;
    source.taken = taken;
    source.dropped = dropped;
    this.#options.onDropped(newDropped);
    return 1 + newDropped / newTaken;
  }
}

function countsOf(counters: Float64Array): { readonly taken: number; readonly dropped: number } {
  return {
    taken: readCounter([counters], 'samples', 'taken'),
    dropped: readCounter([counters], 'samples', 'dropped'),
  };
}

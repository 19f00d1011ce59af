import type { Observation } from '../../health/observation.ts';
import { hashText } from '../../health/text-hash.ts';
import { encodeAgain, MAX_AGAIN } from './again.ts';
import { type RowHead, writeRow } from './observation-row.ts';

/** Where each source is observed, by its key: `pool/endpoint`, or `pool/endpoint@monitor`. */
export type SourceTargets = ReadonlyMap<string, string>;

/**
 * Durations and percentiles of an endpoint that goes on as before are told this often; a page that shows them is as
 * young as that, and a steady endpoint costs an octet a probe in between.
 */
export const RETELL_MS = 30_000;

/** Rows of one frame: at 300 octets each, encoded in about a millisecond, and at most 8 MB with all evidence full. */
export const MAX_ROWS = 500;

/** The newest of one source, and what was told of it. */
export interface Outgoing extends RowHead {
  newest: Observation;
  /** By the monotonic clock. */
  madeAtMs: number;
  /** What the last row said; since then only what is like it was observed. */
  told: Observation;
  toldAtMs: number;
}

/** What goes to the peers, with the sources that it is about. */
export interface Batch {
  readonly about: readonly Outgoing[];
  readonly value: unknown;
}

/**
 * This node's own observations on their way to all peers: the newest of each source, however many come while they wait.
 *
 *     take --> by key: newest, told --> rows     what is new: verdict, outcome, evidence, or RETELL_MS after the last
 *                                  `--> again    "as told, once more": one number
 *
 * Every probe is told in one of the two ways, so that the peers' votes end as soon after silence as ours.
 * It holds no more than there are sources.
 */
export class Outbox {
  readonly #byKey = new Map<string, Outgoing>();
  #targets: SourceTargets = new Map();
  #rows = new Set<Outgoing>();
  #again = new Set<Outgoing>();
  /** Never given twice, so that none can be taken for another that a peer still remembers. */
  #lastNumber = 0;

  /** Follows the sources of the configuration; returns those that are gone. */
  follow(targets: SourceTargets): readonly Outgoing[] {
    this.#targets = targets;
    const gone: Outgoing[] = [];
    for (const [key, outgoing] of this.#byKey) {
      const target = targets.get(key);
      if (target !== undefined && hashText(target) === outgoing.target) continue;
      this.#byKey.delete(key);
      this.#rows.delete(outgoing);
      this.#again.delete(outgoing);
      gone.push(outgoing);
    }
    return gone;
  }

  /** Takes in an observation; returns whether it is so new that it should not wait for others. */
  take(observation: Observation, nowMs: number): boolean {
    const { key } = observation;
    const known = this.#byKey.get(key);
    if (known === undefined) {
      const target = this.#targets.get(key);
      if (target === undefined) return false;
      this.#lastNumber += 1;
      const outgoing: Outgoing = {
        number: this.#lastNumber,
        key,
        target: hashText(target),
        newest: observation,
        madeAtMs: nowMs,
        told: observation,
        toldAtMs: nowMs,
      };
      this.#byKey.set(key, outgoing);
      this.#rows.add(outgoing);
      return observation.verdict === 'down';
    }
    known.newest = observation;
    known.madeAtMs = nowMs;
    const { told } = known;
    if (isAlike(told, observation) && nowMs - known.toldAtMs < RETELL_MS) {
      if (!this.#rows.has(known)) this.#again.add(known);
      return false;
    }
    known.told = observation;
    known.toldAtMs = nowMs;
    this.#again.delete(known);
    this.#rows.add(known);
    return told.verdict !== observation.verdict || told.result.ok !== observation.result.ok;
  }

  /** All that waits, in as many batches as it takes; nothing waits afterwards. */
  takeBatches(nowMs: number): readonly Batch[] {
    const rows = [...this.#rows];
    const again = [...this.#again];
    this.#rows = new Set();
    this.#again = new Set();
    const batches: Batch[] = [];
    for (let at = 0; at < rows.length; at += MAX_ROWS)
      batches.push(batchOf(rows.slice(at, at + MAX_ROWS), [], nowMs));
    for (let at = 0; at < again.length; at += MAX_AGAIN)
      batches.push(batchOf([], again.slice(at, at + MAX_AGAIN), nowMs));
    return batches;
  }

  /** The newest of everything. */
  all(): Iterable<Outgoing> {
    return this.#byKey.values();
  }

  get isEmpty(): boolean {
    return this.#rows.size === 0 && this.#again.size === 0;
  }

  /** Sources of which something was observed. */
  get size(): number {
    return this.#byKey.size;
  }
}

/** What a frame says of some sources: the newest of each in `rows`, and which others are as they were told. */
export function batchOf(rows: readonly Outgoing[], again: readonly Outgoing[], nowMs: number): Batch {
  // One age for all that are as before: that of the oldest, so that no vote lasts longer than it should.
  const oldestMs = again.reduce((oldest, { madeAtMs }) => Math.min(oldest, madeAtMs), nowMs);
  return {
    about: again.length === 0 ? rows : [...rows, ...again],
    value: {
      kind: 'observations',
      rows: rows.map((outgoing) => writeRow(outgoing, outgoing.newest, nowMs - outgoing.madeAtMs)),
      again: encodeAgain(again.map(({ number }) => number)),
      againAgeMs: Math.round(nowMs - oldestMs),
    },
  };
}

/** Whether an observation says nothing that the one before has not said, but that it is so once more. */
function isAlike(told: Observation, newer: Observation): boolean {
  const { verdict, sinceMs, report, result } = newer;
  return (
    report === undefined &&
    told.verdict === verdict &&
    told.sinceMs === sinceMs &&
    told.heldDownUntilMs === newer.heldDownUntilMs &&
    told.firstFailureAtMs === newer.firstFailureAtMs &&
    told.result.ok === result.ok &&
    told.result.reason === result.reason &&
    // What endpoints tell of their load moves traffic.
    told.result.evidence.load === result.evidence.load &&
    told.result.evidence.capacity === result.evidence.capacity
  );
}

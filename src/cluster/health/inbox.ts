import type { Observation } from '../../health/observation.ts';
import { hashText } from '../../health/text-hash.ts';
import { decodeAgain } from './again.ts';
import { MAX_SPAN_MS, type ReadRow, type RowHead, readRow, readRowHead } from './observation-row.ts';
import { MAX_ROWS, type SourceTargets } from './outbox.ts';

/** An observation of another node, with times by the clock of this one. */
export interface Arrival {
  readonly observation: Observation;
  /** How long ago it was made. */
  readonly ageMs: number;
  /** `again`: as the last one in full, which was made sooner; nothing but its time and its row is new. */
  readonly told: 'in-full' | 'again';
}

/**
 * Sources that are heard of before this node's configuration has them: a change of configuration and the first probes
 * that follow from it race. What is beyond is asked for when the configuration has changed.
 */
const MAX_STRANGE = 1000;

/** Ten times what a sender of this version puts into one frame. */
const MAX_ROWS_HEARD = 10 * MAX_ROWS;

interface Heard extends RowHead {
  observation: Observation;
  /** By the clock of this node, milliseconds since the epoch. */
  madeAtMs: number;
  /** This node's configuration has the source, with the same address. */
  known: boolean;
}

/** What was wrong with a peer's frames, and what was good in them. */
export interface InboxCounts {
  rows: number;
  again: number;
  /** Rows and frames that could not be read. */
  refused: number;
  /** Rows of sources that this node does not know. */
  strange: number;
}

/**
 * What one session's peer says of what it observes.
 *
 *     rows  --> number -> key, newest observation --> arrivals, where the configuration has the source
 *     again ------^
 *
 * It holds no more than the configuration has sources, and `MAX_STRANGE`.
 */
export class Inbox {
  readonly #vantage: string;
  readonly #nextSequence: () => number;
  readonly #counts: InboxCounts;
  readonly #byNumber = new Map<number, Heard>();
  readonly #byKey = new Map<string, Heard>();
  #targets: SourceTargets;
  #strange = 0;
  #hasMissed = false;

  /**
   * `vantage` is the session's peer. Frames of a session come in order, and sessions of a peer one after another, so
   * that the order of arrival is the order in which things were said: `nextSequence` counts it. The peer's own count
   * would start anew with the peer, and one that started with its clock could go back.
   */
  constructor(
    vantage: string,
    targets: SourceTargets,
    options: { readonly nextSequence: () => number; readonly counts: InboxCounts },
  ) {
    this.#vantage = vantage;
    this.#targets = targets;
    this.#nextSequence = options.nextSequence;
    this.#counts = options.counts;
  }

  /** Follows the sources of the configuration; returns what was heard of those that are new. */
  follow(targets: SourceTargets, nowMs: number): readonly Arrival[] {
    this.#targets = targets;
    const arrivals: Arrival[] = [];
    for (const heard of [...this.#byNumber.values()]) {
      const wasKnown = heard.known;
      if (wasKnown === this.#knows(heard)) continue;
      this.#forget(heard);
      if (wasKnown) {
        // It may come back, and the peer may not have seen it go.
        if (this.#strange < MAX_STRANGE) this.#remember({ ...heard, known: false });
        else this.#hasMissed = true;
        continue;
      }
      this.#remember({ ...heard, known: true });
      const observation = { ...heard.observation, sequence: this.#nextSequence() };
      arrivals.push({ observation, ageMs: Math.max(0, nowMs - heard.madeAtMs), told: 'in-full' });
    }
    return arrivals;
  }

  /** Whether something was dropped since it was last asked: the peer has to tell everything again. */
  takeMissed(): boolean {
    const missed = this.#hasMissed;
    this.#hasMissed = false;
    return missed;
  }

  /** Takes in the value of a frame of kind `observations`. What cannot be read is counted, and changes nothing. */
  take(value: Readonly<Record<string, unknown>>, nowMs: number): readonly Arrival[] {
    const { rows, again, againAgeMs } = value;
    const arrivals: Arrival[] = [];
    if (!isRows(rows) || !(again instanceof Uint8Array) || !isAge(againAgeMs)) {
      this.#counts.refused += 1;
      return arrivals;
    }
    for (const row of rows) {
      const read = this.#takeRow(row, nowMs);
      if (read !== undefined) arrivals.push({ ...read, told: 'in-full' });
    }
    const intact = decodeAgain(again, (number) => {
      const heard = this.#byNumber.get(number);
      if (heard !== undefined) this.#repeat(heard, againAgeMs, nowMs, arrivals);
    });
    if (!intact) this.#counts.refused += 1;
    return arrivals;
  }

  #takeRow(row: unknown, nowMs: number): ReadRow | undefined {
    const head = readRowHead(row);
    if (head === undefined) {
      this.#counts.refused += 1;
      return undefined;
    }
    const before = this.#byKey.get(head.key);
    if (before !== undefined) this.#forget(before);
    const known = this.#knows(head);
    if (!known) {
      this.#counts.strange += 1;
      if (this.#strange >= MAX_STRANGE) {
        this.#hasMissed = true;
        return undefined;
      }
    }
    const read = readRow(row as readonly unknown[], this.#vantage, this.#nextSequence(), nowMs);
    if (read === undefined) {
      this.#counts.refused += 1;
      return undefined;
    }
    this.#counts.rows += 1;
    this.#remember({ ...head, observation: read.observation, madeAtMs: nowMs - read.ageMs, known });
    return known ? read : undefined;
  }

  /** One more probe that came out as the last. */
  #repeat(heard: Heard, ageMs: number, nowMs: number, arrivals: Arrival[]): void {
    this.#counts.again += 1;
    const { observation: before } = heard;
    const failed = before.failures > 0;
    const observation: Observation = {
      vantage: before.vantage,
      key: before.key,
      sequence: this.#nextSequence(),
      verdict: before.verdict,
      sinceMs: before.sinceMs,
      successes: failed ? 0 : before.successes + 1,
      failures: failed ? before.failures + 1 : 0,
      firstFailureAtMs: before.firstFailureAtMs,
      heldDownUntilMs: before.heldDownUntilMs,
      latency: before.latency,
      result: before.result,
      observedAtMs: nowMs - ageMs,
      report: before.report,
    };
    heard.observation = observation;
    heard.madeAtMs = observation.observedAtMs;
    if (heard.known) arrivals.push({ observation, ageMs, told: 'again' });
  }

  #knows({ key, target }: RowHead): boolean {
    const own = this.#targets.get(key);
    return own !== undefined && hashText(own) === target;
  }

  #remember(heard: Heard): void {
    // A number that is used for two keys is the later one's.
    const other = this.#byNumber.get(heard.number);
    if (other !== undefined) this.#forget(other);
    this.#byNumber.set(heard.number, heard);
    this.#byKey.set(heard.key, heard);
    if (!heard.known) this.#strange += 1;
  }

  #forget(heard: Heard): void {
    this.#byNumber.delete(heard.number);
    this.#byKey.delete(heard.key);
    if (!heard.known) this.#strange -= 1;
  }
}

function isRows(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length <= MAX_ROWS_HEARD;
}

function isAge(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= MAX_SPAN_MS;
}

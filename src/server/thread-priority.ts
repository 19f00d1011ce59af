import { setPriority } from 'node:os';
import { reasonOf } from '../config/problem.ts';
import type { NativePriority } from './native-priority.ts';

/*
 * Who goes first when the threads of this process want one processor:
 *
 *     queries       in real time while there are few, niceness -10 under a flood, where the system allows it
 *     control       as the system starts it: probes, health and API
 *     compilation   niceness 10
 *
 * A query thread that wakes for one packet must not wait for the end of somebody else's turn, which takes up to a tick
 * of the kernel's clock, however large its share is. One that has work without end must not keep health checks from
 * theirs, so it goes before others only while it leaves them room; see `Precedence`. A compile thread is never shut
 * out, or it would not end while queries take the whole processor.
 *
 * Only Linux gives each thread a priority of its own; elsewhere nothing is changed.
 */

/** About nine shares to one of the control plane's. */
const QUERY_NICE = -10;
/** The least that the kernel takes. A thread that wakes is let in before one with a longer slice has used its own. */
const QUERY_SLICE_NS = 100_000;
/** A ninth of the control plane's share: a zone of 100,000 RRsets still compiles in seconds on a full processor. */
const COMPILE_NICE = 10;

/** A power of two. At full batches it is some 30 ms, for which a flood may keep others waiting when it begins. */
const EXCHANGES_PER_LOOK = 64;
/** Shorter times say little by a clock of milliseconds. */
const LOOK_MS = 25;
/** Of the time between two looks: more than so much of it spent on queries leaves others too little. */
const MOST_BUSY = 0.75;
/** After a flood: its next 30 ms cost others a thirtieth of their time at most. */
const ORDINARY_MS = 1000;
const CLOCK_MODULUS_MS = 2 ** 30;

const perThread = process.platform === 'linux';

/** What a query thread was given. */
export interface Favour {
  /** What the system refused, in words; the thread then waits its turn. */
  readonly refused: readonly string[];
  readonly precedence: Precedence;
}

/** Lets the calling thread go first. */
export function favourQueries(native: NativePriority | undefined): Favour {
  if (!perThread || native === undefined) return { refused: [], precedence: new Precedence(undefined) };
  const refused = [
    refusal(`niceness ${QUERY_NICE}`, () => setPriority(QUERY_NICE)),
    // Second: it keeps the niceness that it finds.
    refusal(`a slice of ${QUERY_SLICE_NS} ns`, () => native.setSlice(QUERY_SLICE_NS)),
  ];
  const shut = refusal('real time', () => native.setRealTime());
  return {
    refused: [...refused, shut].filter((reason) => reason !== undefined),
    precedence: new Precedence(shut === undefined ? native : undefined),
  };
}

/**
 * Keeps a query thread before all others while it rests between queries, and makes it an ordinary one while it does not.
 *
 *                 busy for more than three quarters of the time
 *     real time ------------------------------------------------> ordinary
 *         ^                                                          |
 *         `------- a second later, and no longer busy ---------------'
 */
export class Precedence {
  readonly #native: NativePriority | undefined;
  #exchanges = 0;
  #isFirst = true;
  #lookedAtMs = 0;
  #cpuMs = 0;
  #ordinarySinceMs = 0;

  /** Of the calling thread; undefined for one that cannot go first. */
  constructor(native: NativePriority | undefined) {
    this.#native = native;
    if (native === undefined) return;
    this.#lookedAtMs = native.monotonicMs();
    this.#cpuMs = native.threadCpuMs();
  }

  /** To be called after each exchange of answers for queries. Allocates nothing. */
  exchanged(): void {
    this.#exchanges = (this.#exchanges + 1) & (EXCHANGES_PER_LOOK - 1);
    if (this.#exchanges === 0 && this.#native !== undefined) this.#look(this.#native);
  }

  #look(native: NativePriority): void {
    const nowMs = native.monotonicMs();
    const passedMs = elapsed(this.#lookedAtMs, nowMs);
    if (passedMs < LOOK_MS) return;
    const cpuMs = native.threadCpuMs();
    const isBusy = elapsed(this.#cpuMs, cpuMs) > passedMs * MOST_BUSY;
    this.#lookedAtMs = nowMs;
    this.#cpuMs = cpuMs;
    if (this.#isFirst && isBusy) {
      this.#isFirst = false;
      this.#ordinarySinceMs = nowMs;
      native.setSlice(QUERY_SLICE_NS);
    } else if (!this.#isFirst && !isBusy && elapsed(this.#ordinarySinceMs, nowMs) >= ORDINARY_MS) {
      this.#isFirst = true;
      native.setRealTime();
    }
  }
}

/** Lets the calling thread wait for all others. A system that refuses even this has its own reasons. */
export function deferCompilation(): void {
  if (perThread) refusal('niceness', () => setPriority(COMPILE_NICE));
}

function elapsed(fromMs: number, toMs: number): number {
  return (toMs - fromMs) & (CLOCK_MODULUS_MS - 1);
}

function refusal(what: string, change: () => void): string | undefined {
  try {
    change();
    return undefined;
  } catch (error) {
    return `${what}: ${reasonOf(error)}`;
  }
}

import type { Consensus } from './consensus.ts';
import type { Observation } from './observation.ts';

/** A report, whichever node it went to. */
export interface HeldReport {
  readonly observation: Observation;
  /** When it was made, by the clock of this node. */
  readonly madeAtMs: number;
}

/**
 * What reports say of an endpoint: the newest, whichever node it went to, for as long as its lease.
 *
 *     defined          report            report                      lease of the monitor ended
 *        |--- silent ----|-- as it says ---|-- as it says --- lease ---|--- down
 *
 * An endpoint that was never heard of has one lease to do so; until then what held before stays. Silence beyond the
 * lease is a failure: whoever reports must be alive to do it.
 */
export function leaseVerdict(
  newest: HeldReport | undefined,
  definedAtMs: number,
  leaseMs: number,
  before: Consensus['verdict'],
  nowMs: number,
): Consensus {
  if (nowMs >= leaseEndMs(newest, definedAtMs, leaseMs)) return { verdict: 'down', basis: 'quorum' };
  if (newest === undefined) return { verdict: before, basis: 'silent' };
  return { verdict: newest.observation.verdict, basis: 'quorum' };
}

/** When the lease ends that runs now, in milliseconds since the epoch by the clock of this node. */
export function leaseEndMs(newest: HeldReport | undefined, definedAtMs: number, leaseMs: number): number {
  if (newest === undefined) return definedAtMs + leaseMs;
  return newest.madeAtMs + (newest.observation.report?.leaseMs ?? leaseMs);
}

/** The newest of the reports that went to several nodes; the name decides between two of one moment. */
export function newestReport(reports: Iterable<HeldReport>): HeldReport | undefined {
  let newest: HeldReport | undefined;
  for (const held of reports) if (newest === undefined || isNewer(held, newest)) newest = held;
  return newest;
}

/** By the clock of this node: that of the node which took the report may be wrong by days. */
function isNewer(one: HeldReport, other: HeldReport): boolean {
  if (one.madeAtMs !== other.madeAtMs) return one.madeAtMs > other.madeAtMs;
  return one.observation.vantage > other.observation.vantage;
}

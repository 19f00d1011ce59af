import { monitorFields } from '../../src/config/resources/monitor.ts';
import { MAJORITY } from '../../src/config/resources/quorum.ts';
import { type Consensus, joinVotes, NO_CONSENSUS, type VantageSeat } from '../../src/health/consensus.ts';
import {
  type Damped,
  damp,
  isInDoubt,
  type Thresholds,
  thresholdsOf,
  UNDAMPED,
} from '../../src/health/damp.ts';
import type { ProbeResult } from '../../src/health/probe-result.ts';
import type { ProbedVerdict } from '../../src/health/verdict.ts';

/** A monitor as the simulation needs it. */
export interface SimulatedMonitor {
  readonly intervalMs: number;
  readonly recheckMs: number;
  readonly timeoutMs: number;
  readonly thresholds: Thresholds;
}

/** Re-probes come after a quarter of the interval, at least 250 ms; as in `probing/vantage-targets.ts`. */
const RECHECK_SHARE = 1 / 4;
const MIN_RECHECK_MS = 250;

/** A monitor with the defaults of the schema in all that is not given. */
export function simulatedMonitor(
  given: { intervalSeconds?: number; fall?: number; timeoutSeconds?: number } = {},
): SimulatedMonitor {
  const monitor = {
    intervalSeconds: monitorFields.intervalSeconds.parse(given.intervalSeconds),
    timeoutSeconds: monitorFields.timeoutSeconds.parse(given.timeoutSeconds),
    rise: monitorFields.rise.parse(undefined),
    fall: monitorFields.fall.parse(given.fall),
    flapping: undefined,
  };
  const intervalMs = monitor.intervalSeconds * 1000;
  return {
    intervalMs,
    recheckMs: Math.min(intervalMs, Math.max(MIN_RECHECK_MS, intervalMs * RECHECK_SHARE)),
    timeoutMs: monitor.timeoutSeconds * 1000,
    thresholds: thresholdsOf(monitor),
  };
}

/** Draws between 0 and 1, the same for the same seed (an xorshift of 32 bits, mixed by a multiplication). */
export function seededRandom(seed: number): () => number {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (Math.imul(state, 0x2545f491) >>> 0) / 2 ** 32;
  };
}

const success: ProbeResult = { ok: true, reason: 'ok', detail: '', durationMs: 1, evidence: {} };
const loss: ProbeResult = { ok: false, reason: 'timeout', detail: '', durationMs: 3000, evidence: {} };

/** One vantage's verdict from a time on, in milliseconds. */
interface Change {
  readonly atMs: number;
  readonly vantage: number;
  readonly verdict: ProbedVerdict;
}

/** What came out of the simulated hours. */
export interface LossOutcome {
  readonly probes: number;
  readonly losses: number;
  /** How often one vantage alone called an endpoint down that was up all the time. */
  readonly vantageFalls: number;
  /** How often all of them together did. */
  readonly falseFailovers: number;
}

export interface LossOptions {
  readonly monitor: SimulatedMonitor;
  readonly endpoints: number;
  readonly vantages: number;
  /** Share of probes that are lost, each by itself. */
  readonly lossShare: number;
  /** Hours times endpoints times vantages. */
  readonly probeHours: number;
  readonly random: () => number;
}

/**
 * Probes endpoints that are up all the time, and loses some of the probes.
 *
 *     one vantage   s s s s s s s s s s F s s s s s s s s s s s s s s F F s s s s
 *                   '----- skipped ---'  '-------- skipped -------'
 *
 * A success changes nothing where an endpoint is up and in no doubt, so the run of successes up to the next loss is
 * drawn at once (it is distributed geometrically); every other result goes through `damp`, and every change of a
 * vantage's verdict through `joinVotes`.
 */
export function simulateLoss(options: LossOptions): LossOutcome {
  const { endpoints, vantages, probeHours } = options;
  const lastMs = (probeHours / endpoints / vantages) * 3_600_000;
  const tally = { probes: 0, losses: 0 };
  let vantageFalls = 0;
  let falseFailovers = 0;
  for (let endpoint = 0; endpoint < endpoints; endpoint += 1) {
    const changes: Change[] = [];
    for (let vantage = 0; vantage < vantages; vantage += 1) {
      for (const change of lossyVantage(options, lastMs, tally)) changes.push({ ...change, vantage });
    }
    vantageFalls += changes.filter(({ verdict }) => verdict === 'down').length;
    falseFailovers += countFalls(changes, vantages);
  }
  return { ...tally, vantageFalls, falseFailovers };
}

/** One vantage and one endpoint: the changes of its verdict after the first. */
function lossyVantage(
  { monitor, lossShare, random }: LossOptions,
  lastMs: number,
  tally: { probes: number; losses: number },
): readonly Omit<Change, 'vantage'>[] {
  const { intervalMs, thresholds } = monitor;
  const changes: Omit<Change, 'vantage'>[] = [];
  const logKept = Math.log(1 - lossShare);
  let startMs = random() * intervalMs;
  let state = damp(UNDAMPED, success, thresholds, startMs);
  while (startMs < lastMs) {
    if (state.verdict === 'up' && state.failures === 0) {
      const skipped = Math.floor(Math.log(1 - random()) / logKept);
      tally.probes += skipped;
      state = succeedTimes(state, skipped);
      startMs += (skipped + 1) * intervalMs;
    } else {
      startMs = nextStartMs(state, monitor, startMs);
    }
    const isLost = (state.verdict === 'up' && state.failures === 0) || random() < lossShare;
    const endMs = startMs + (isLost ? monitor.timeoutMs : 0);
    const before = state.verdict;
    state = damp(state, isLost ? loss : success, thresholds, endMs);
    tally.probes += 1;
    if (isLost) tally.losses += 1;
    if (state.verdict !== before) changes.push({ atMs: endMs, verdict: state.verdict });
  }
  return changes;
}

/** What `damp` makes of so many successes while an endpoint is up and in no doubt. */
export function succeedTimes(state: Damped, times: number): Damped {
  return times === 0 ? state : { ...state, successes: state.successes + times };
}

/** When the next probe starts: sooner while in doubt, but not before the last has ended. */
function nextStartMs(state: Damped, monitor: SimulatedMonitor, startMs: number): number {
  const endMs = startMs + (state.failures > 0 ? monitor.timeoutMs : 0);
  if (!isInDoubt(state, endMs)) return startMs + monitor.intervalMs;
  return Math.max(endMs, startMs + monitor.recheckMs);
}

function seatsOf(vantages: number): readonly VantageSeat[] {
  return Array.from({ length: vantages }, (_, index) => ({ name: String(index), region: '' }));
}

/** How often all vantages together turn from up to down. Their probes go on, so that no vote expires. */
function countFalls(changes: readonly Change[], vantages: number): number {
  const electorate = { quorum: MAJORITY, seats: seatsOf(vantages) };
  const verdicts: ProbedVerdict[] = Array.from({ length: vantages }, () => 'up');
  let consensus: Consensus = { verdict: 'up', basis: 'quorum' };
  let falls = 0;
  for (const { atMs, vantage, verdict } of changes.toSorted((one, other) => one.atMs - other.atMs)) {
    verdicts[vantage] = verdict;
    const votes = verdicts.map((held, index) => ({
      vantage: String(index),
      verdict: held,
      expiresAtMs: atMs + 1,
    }));
    const next = joinVotes(votes, electorate, consensus.verdict, atMs);
    if (next.verdict === 'down' && consensus.verdict !== 'down') falls += 1;
    consensus = next;
  }
  return falls;
}

export interface DetectionOptions {
  readonly monitor: SimulatedMonitor;
  readonly vantages: number;
  /** `refused`: the machine says so at once, as after a crash of the program; `silent`: it says nothing. */
  readonly death: 'refused' | 'silent';
  readonly runs: number;
  readonly random: () => number;
}

/** Milliseconds from an endpoint's death to the verdict of all vantages together, sorted. */
export function simulateDetection(options: DetectionOptions): readonly number[] {
  return Array.from({ length: options.runs }, () => detectOnce(options)).sort((one, other) => one - other);
}

function detectOnce({ monitor, vantages, death, random }: DetectionOptions): number {
  const falls = Array.from({ length: vantages }, (_, vantage) => ({
    vantage,
    atMs: fallOfVantage(monitor, death === 'silent' ? monitor.timeoutMs : 0, random() * monitor.intervalMs),
  })).sort((one, other) => one.atMs - other.atMs);
  const electorate = { quorum: MAJORITY, seats: seatsOf(vantages) };
  let consensus: Consensus = { ...NO_CONSENSUS, verdict: 'up' };
  for (const { atMs } of falls) {
    const votes = falls.map((fall) => ({
      vantage: String(fall.vantage),
      verdict: fall.atMs <= atMs ? ('down' as const) : ('up' as const),
      expiresAtMs: atMs + 1,
    }));
    consensus = joinVotes(votes, electorate, consensus.verdict, atMs);
    if (consensus.verdict === 'down') return atMs;
  }
  return Number.POSITIVE_INFINITY;
}

/** When one vantage whose next probe starts at `startMs` calls a dead endpoint down. */
function fallOfVantage(monitor: SimulatedMonitor, failsAfterMs: number, startMs: number): number {
  let state: Damped = damp(UNDAMPED, success, monitor.thresholds, 0);
  let atMs = startMs;
  for (;;) {
    const endMs = atMs + failsAfterMs;
    state = damp(state, loss, monitor.thresholds, endMs);
    if (state.verdict === 'down') return endMs;
    atMs = Math.max(endMs, atMs + monitor.recheckMs);
  }
}

/** A share of sorted numbers: 0.5 is the median. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

import type { FlappingSettings, Monitor } from '../config/resources/monitor.ts';
import type { ProbeResult } from './probe-result.ts';
import type { ProbedVerdict } from './verdict.ts';

/** When results become a verdict, and for how long that verdict counts. */
export interface Thresholds {
  /** Consecutive successes that turn a down endpoint up; 1 or more. */
  readonly rise: number;
  /** Consecutive failures that turn an up or unknown endpoint down; 1 or more. */
  readonly fall: number;
  /** Milliseconds after its last result at which a vantage's verdict counts as absent. */
  readonly expiryMs: number;
  /** Undefined where an endpoint may come back as often as it likes. */
  readonly flapping?: FlapRule | undefined;
}

/** When an endpoint counts as flapping, and for how long it is then held down. */
export interface FlapRule {
  /** Changes between up and down within the window that make it flap; 2 or more. */
  readonly changes: number;
  readonly windowMs: number;
  /** The first hold-down; each further one is twice as long. */
  readonly holdDownMs: number;
  readonly maxHoldDownMs: number;
}

/**
 * One vantage's memory of one endpoint.
 *
 *                first success           `fall` failures in a row
 *     unknown ------------------> up ------------------------------> down
 *        |                        ^                                   |  ^
 *        |                        `---- `rise` successes in a row ----'  |
 *        |                              once no longer held down         |
 *        `------------------- `fall` failures in a row ------------------'
 */
export interface Damped {
  readonly verdict: ProbedVerdict;
  /** When it took the verdict; milliseconds since the epoch, as all times here. */
  readonly sinceMs: number;
  /** Successes in a row up to the last result; 0 after a failure. */
  readonly successes: number;
  /** Failures in a row up to the last result; 0 after a success. */
  readonly failures: number;
  /** When the present run of failures began; while it is down, when that run began which took it down. */
  readonly firstFailureAtMs: number | undefined;
  /** Undefined while it does not flap. */
  readonly heldDownUntilMs: number | undefined;
  /** What may yet turn out to be flapping. */
  readonly flaps: Flaps;
}

/** Changes of verdict that are not yet forgotten. */
interface Flaps {
  /** Times of the latest changes between up and down, oldest first; no more than make a flap. */
  readonly changedAtMs: readonly number[];
  /** Hold-downs in a row without a quiet window between them. */
  readonly holds: number;
}

const NO_FLAPS: Flaps = { changedAtMs: [], holds: 0 };

/** Nothing is known before the first result. */
export const UNDAMPED: Damped = {
  verdict: 'unknown',
  sinceMs: 0,
  successes: 0,
  failures: 0,
  firstFailureAtMs: undefined,
  heldDownUntilMs: undefined,
  flaps: NO_FLAPS,
};

/** Two missed probes are bad luck, three are silence. */
const EXPIRY_INTERVALS = 3;

/** Doubling stops here: beyond it every hold-down is the longest anyway. */
const MAX_HOLDS = 20;

/** What is meant where a monitor says nothing of flapping. */
const DEFAULT_FLAPPING: FlappingSettings = {
  changes: 4,
  windowSeconds: 600,
  holdDownSeconds: 60,
  maxHoldDownSeconds: 900,
};

/**
 * Joins one result, of `nowMs`, to what went before.
 *
 * The first success alone makes an unknown endpoint up: whoever waits for an answer at start is better served by an
 * endpoint that has just replied than by a guess, and `rise` guards against flapping, of which there is none yet.
 * Failures always need `fall` in a row, so that one lost packet at start takes nothing down.
 * A failure of our own (`internal-error`, such as no free file descriptor) says nothing about the endpoint.
 *
 * An endpoint that has changed often enough within the window is held down when it falls: it rises no earlier, however
 * well it replies. It counts as flapping until a whole window has passed without a change, and until then every fall
 * holds it down for twice as long as the one before.
 */
export function damp(state: Damped, result: ProbeResult, thresholds: Thresholds, nowMs: number): Damped {
  if (result.reason === 'internal-error') return state;
  return result.ok ? succeed(state, thresholds, nowMs) : fail(state, thresholds, nowMs);
}

function succeed(state: Damped, { rise, flapping }: Thresholds, nowMs: number): Damped {
  const successes = state.successes + 1;
  // A down endpoint keeps the time of its first failure: it tells since when it has been out.
  const kept = state.verdict === 'down' ? state.firstFailureAtMs : undefined;
  const steady = { ...state, successes, failures: 0, firstFailureAtMs: kept };
  if (state.verdict === 'up') return steady;
  const held = state.heldDownUntilMs !== undefined && nowMs < state.heldDownUntilMs;
  if (state.verdict === 'down' && (successes < rise || held)) return steady;
  const flaps = state.verdict === 'down' ? flapsAfter(state, flapping, nowMs) : state.flaps;
  return {
    ...steady,
    verdict: 'up',
    sinceMs: nowMs,
    firstFailureAtMs: undefined,
    heldDownUntilMs: undefined,
    flaps,
  };
}

function fail(state: Damped, { fall, flapping }: Thresholds, nowMs: number): Damped {
  const failures = state.failures + 1;
  const firstFailureAtMs = state.firstFailureAtMs ?? nowMs;
  const worse = { ...state, successes: 0, failures, firstFailureAtMs };
  if (failures < fall || state.verdict === 'down') return worse;
  if (state.verdict === 'unknown' || flapping === undefined)
    return { ...worse, verdict: 'down', sinceMs: nowMs };
  const flaps = flapsAfter(state, flapping, nowMs);
  const isFlapping = flaps.holds > 0 || flaps.changedAtMs.length >= flapping.changes;
  if (!isFlapping) return { ...worse, verdict: 'down', sinceMs: nowMs, flaps };
  const holdMs = Math.min(flapping.maxHoldDownMs, flapping.holdDownMs * 2 ** flaps.holds);
  return {
    ...worse,
    verdict: 'down',
    sinceMs: nowMs,
    heldDownUntilMs: nowMs + holdMs,
    flaps: { ...flaps, holds: Math.min(MAX_HOLDS, flaps.holds + 1) },
  };
}

/** Adds a change between up and down, and forgets what a quiet window has made irrelevant. */
function flapsAfter(
  { flaps, sinceMs, heldDownUntilMs }: Damped,
  rule: FlapRule | undefined,
  nowMs: number,
): Flaps {
  if (rule === undefined) return NO_FLAPS;
  const quietSinceMs = Math.max(sinceMs, Math.min(nowMs, heldDownUntilMs ?? 0));
  const known = nowMs - quietSinceMs >= rule.windowMs ? NO_FLAPS : flaps;
  const recent = known.changedAtMs.filter((atMs) => nowMs - atMs < rule.windowMs);
  return { changedAtMs: [...recent, nowMs].slice(-rule.changes), holds: known.holds };
}

/**
 * Whether the next result may change the verdict, so that it is worth having soon: some failures of an endpoint that is
 * not down, or some successes of one that is down and not held there.
 */
export function isInDoubt(state: Damped, nowMs: number): boolean {
  if (state.verdict !== 'down') return state.failures > 0;
  return state.successes > 0 && (state.heldDownUntilMs === undefined || state.heldDownUntilMs <= nowMs);
}

/** What a monitor says of damping. */
type DampedMonitor = Pick<Monitor, 'rise' | 'fall' | 'intervalSeconds' | 'timeoutSeconds' | 'flapping'>;

/** A monitor's thresholds. */
export function thresholdsOf(monitor: DampedMonitor): Thresholds {
  return {
    rise: monitor.rise,
    fall: monitor.fall,
    expiryMs: (EXPIRY_INTERVALS * monitor.intervalSeconds + monitor.timeoutSeconds) * 1000,
    flapping: flapRuleOf(monitor),
  };
}

function flapRuleOf({ flapping = DEFAULT_FLAPPING }: DampedMonitor): FlapRule {
  const holdDownMs = flapping.holdDownSeconds * 1000;
  return {
    changes: flapping.changes,
    windowMs: flapping.windowSeconds * 1000,
    holdDownMs,
    maxHoldDownMs: Math.max(holdDownMs, flapping.maxHoldDownSeconds * 1000),
  };
}

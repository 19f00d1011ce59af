import type { Config } from '../config/model.ts';
import type { Override } from '../config/resources/override.ts';
import {
  LAST_KNOWN_UP,
  VERDICT_DOWN,
  VERDICT_DRAINED,
  VERDICT_UNKNOWN,
  VERDICT_UP,
} from '../snapshot/verdict-table.ts';
import { checkedEndpoints } from './checked-endpoints.ts';
import { type Consensus, NO_CONSENSUS, type Vote } from './consensus.ts';
import { type Damped, type Thresholds, thresholdsOf } from './damp.ts';
import { type EndpointHealth, type LastResult, timeText, type VantageHealth } from './endpoint-health.ts';
import type { ProbeResult } from './probe-result.ts';
import type { RememberedVerdict } from './remembered-verdict.ts';
import type { Verdict } from './verdict.ts';

/** An endpoint as the board needs it; `boardEndpoints` makes them from the configuration. */
export interface BoardEndpoint {
  /** `pool/endpoint`. */
  readonly key: string;
  /** Index in the verdict table. */
  readonly slot: number;
  readonly pool: string;
  readonly endpoint: string;
  readonly dataCenter: string;
  /** The address or canonical name that is answered. */
  readonly address: string;
  /** Where probes go, when not to `address`. */
  readonly probeAddress: string | undefined;
  /** Name of the monitor. */
  readonly monitor: string | undefined;
  /** Undefined when nothing checks the endpoint: it then counts as up. */
  readonly thresholds: Thresholds | undefined;
}

/** The board's endpoints of a configuration; `slotOf` gives an endpoint's index in the verdict table by its key. */
export function boardEndpoints(config: Config, slotOf: (key: string) => number): readonly BoardEndpoint[] {
  return checkedEndpoints(config).map(({ key, pool, endpoint, check }) => ({
    key,
    slot: slotOf(key),
    pool,
    endpoint: endpoint.name,
    dataCenter: endpoint.dataCenter,
    address: endpoint.address ?? endpoint.canonicalName ?? '',
    probeAddress: endpoint.probeAddress,
    monitor: check?.monitor.name,
    thresholds: check === undefined ? undefined : thresholdsOf(check.monitor),
  }));
}

/** One vantage's memory of one endpoint. */
export interface Seen {
  damped: Damped;
  /** When a result last bore on the verdict. */
  votedAtMs: number;
  result: ProbeResult;
  resultAtMs: number;
}

/** One endpoint on the board; the board alone changes it. */
export interface Entry {
  definition: BoardEndpoint;
  readonly seen: Map<string, Seen>;
  /** The vantage that reported last. */
  newest: string | undefined;
  consensus: Consensus;
  override: Override | undefined;
  verdict: Verdict;
  sinceMs: number;
  lastKnownUp: boolean;
}

const OCTETS: Readonly<Record<Verdict, number>> = {
  unknown: VERDICT_UNKNOWN,
  up: VERDICT_UP,
  down: VERDICT_DOWN,
  drained: VERDICT_DRAINED,
};

/** A new endpoint, of which nothing is known. */
export function createEntry(definition: BoardEndpoint, nowMs: number): Entry {
  return {
    definition,
    seen: new Map(),
    newest: undefined,
    consensus: NO_CONSENSUS,
    override: undefined,
    verdict: 'unknown',
    sinceMs: nowMs,
    lastKnownUp: false,
  };
}

/** A new endpoint of which the node knew something when it last ran: that holds until probes say otherwise. */
export function recallEntry(definition: BoardEndpoint, remembered: RememberedVerdict): Entry {
  const entry = createEntry(definition, remembered.sinceMs);
  entry.consensus = { verdict: remembered.verdict, basis: 'silent' };
  entry.lastKnownUp = remembered.lastKnownUp;
  return entry;
}

/** Gives a known entry its new definition, and forgets what was seen where it no longer holds. */
export function redefine(entry: Entry, definition: BoardEndpoint): Entry {
  const before = entry.definition;
  const moved = before.address !== definition.address || before.probeAddress !== definition.probeAddress;
  entry.definition = definition;
  if (moved) entry.lastKnownUp = false;
  if (moved || definition.thresholds === undefined) {
    entry.seen.clear();
    entry.newest = undefined;
    entry.consensus = NO_CONSENSUS;
  }
  return entry;
}

/** What answers go by: the override's state, else what the probes say. */
export function verdictOf(entry: Entry): Verdict {
  if (entry.override !== undefined) {
    return entry.override.state === 'drain' ? 'drained' : entry.override.state;
  }
  return probedVerdictOf(entry);
}

function probedVerdictOf(entry: Entry): EndpointHealth['probed'] {
  return entry.definition.thresholds === undefined ? 'up' : entry.consensus.verdict;
}

/** The entry's octet in the verdict table. */
export function octetOf(entry: Entry): number {
  return OCTETS[entry.verdict] | (entry.lastKnownUp ? LAST_KNOWN_UP : 0);
}

/** What each vantage says. */
export function votesOf(entry: Entry, thresholds: Thresholds): readonly Vote[] {
  return Array.from(entry.seen.values(), (seen) => ({
    verdict: seen.damped.verdict,
    expiresAtMs: seen.votedAtMs + thresholds.expiryMs,
  }));
}

/** One sentence: why the entry has its verdict, as of the newest result. */
export function reasonOf(entry: Entry): string {
  const { override } = entry;
  if (override !== undefined) {
    const verb = override.state === 'drain' ? 'drains it' : `holds it ${override.state}`;
    return `Override ${override.id} ${verb}: ${override.reason}`;
  }
  if (entry.definition.thresholds === undefined) return 'No monitor checks it, so it counts as up.';
  const newest = entry.newest === undefined ? undefined : entry.seen.get(entry.newest);
  if (newest === undefined) {
    return entry.consensus.verdict === 'unknown'
      ? 'No probe has reported yet.'
      : 'As it was when this node last ran; no probe has reported since.';
  }
  const { damped, result } = newest;
  const { successes, failures } = damped;
  if (successes + failures === 0) return result.detail;
  const { verdict } = entry.consensus;
  const row =
    failures > 0
      ? `${counted(failures, 'failure')} in a row`
      : `${counted(successes, 'success', 'successes')} in a row`;
  const agrees = verdict === (failures > 0 ? 'down' : 'up');
  return agrees ? `${row}: ${result.detail}` : `Still ${verdict} after ${row}: ${result.detail}`;
}

function counted(count: number, one: string, many: string = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** What the API and the status page show of the entry. */
export function healthOf(entry: Entry, nowMs: number): EndpointHealth {
  const { definition, override } = entry;
  const newest = entry.newest === undefined ? undefined : entry.seen.get(entry.newest);
  return {
    key: definition.key,
    pool: definition.pool,
    endpoint: definition.endpoint,
    dataCenter: definition.dataCenter,
    address: definition.address,
    probeAddress: definition.probeAddress,
    monitor: definition.monitor,
    verdict: entry.verdict,
    since: timeText(entry.sinceMs),
    reason: reasonOf(entry),
    probed: probedVerdictOf(entry),
    stale: entry.consensus.verdict !== 'unknown' && entry.consensus.basis !== 'majority',
    lastKnownUp: entry.lastKnownUp,
    lastResult: lastResultOf(entry),
    consecutiveSuccesses: newest?.damped.successes ?? 0,
    consecutiveFailures: newest?.damped.failures ?? 0,
    vantages: vantagesOf(entry, nowMs),
    override:
      override === undefined
        ? undefined
        : { id: override.id, state: override.state, reason: override.reason, expiresAt: override.expiresAt },
  };
}

function lastResultOf(entry: Entry): LastResult | undefined {
  const newest = entry.newest === undefined ? undefined : entry.seen.get(entry.newest);
  if (entry.newest === undefined || newest === undefined) return undefined;
  return { vantage: entry.newest, at: timeText(newest.resultAtMs), ...newest.result };
}

function vantagesOf(entry: Entry, nowMs: number): readonly VantageHealth[] {
  const expiresAfterMs = entry.definition.thresholds?.expiryMs ?? 0;
  const vantages = Array.from(entry.seen, ([vantage, seen]) => ({
    vantage,
    verdict: seen.damped.verdict,
    at: timeText(seen.resultAtMs),
    fresh: nowMs < seen.votedAtMs + expiresAfterMs,
  }));
  return vantages.sort((one, other) => (one.vantage < other.vantage ? -1 : 1));
}

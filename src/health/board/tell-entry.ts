import {
  type EndpointHealth,
  type HeldByRail,
  type LastResult,
  type OverrideInForce,
  type PartHealth,
  timeText,
  type VantageHealth,
} from '../endpoint-health.ts';
import type { StandingOverride } from '../overrides/override.ts';
import type { Entry } from './board-entry.ts';
import { isCounted, leaseHasEnded, type Seen, type Tally } from './tally.ts';

/** What is told of an entry comes from more than the entry. */
export interface Telling {
  readonly tallyOf: (key: string) => Tally | undefined;
  /** Whether a vantage has a vote on a source. */
  readonly votes: (tally: Tally, vantage: string) => boolean;
  readonly nowMs: number;
}

/** Parts of a composed check that one sentence names. */
const MAX_PARTS_TOLD = 4;

/** One sentence: why the entry has its verdict, as of the newest result. */
export function reasonOf(entry: Entry, telling: Telling): string {
  return heldOf(entry, telling)?.reason ?? wantedReason(entry, telling);
}

function wantedReason(entry: Entry, telling: Telling): string {
  return entry.override === undefined ? probedReason(entry, telling) : overrideReason(entry.override);
}

function overrideReason({ id, from, state, author, reason, expiresAt }: StandingOverride): string {
  const told = [
    ...(author === undefined ? [] : [`by ${author}`]),
    ...(expiresAt === undefined ? [] : [`until ${timeText(Date.parse(expiresAt))}`]),
  ];
  const what = from === undefined ? 'Override' : 'Maintenance window';
  const whose = told.length === 0 ? '' : ` (${told.join(', ')})`;
  return `${what} ${id}${whose} ${state === 'drain' ? 'drains it' : `holds it ${state}`}: ${reason}`;
}

function probedReason(entry: Entry, telling: Telling): string {
  const { probed, rememberedAtMs, definition } = entry;
  if (definition.check === undefined) return 'No monitor checks it, so it counts as up.';
  const newest = newestOf(entry, telling);
  if (newest === undefined) {
    if (probed.verdict === 'unknown') return 'No probe has reported yet.';
    if (probed.basis === 'quorum') return silenceText(telling.tallyOf(definition.key));
    const ago = rememberedAtMs === undefined ? '' : ` ${ageText(telling.nowMs - rememberedAtMs)} ago,`;
    return `As it was${ago} when this node last ran; no probe has reported since.`;
  }
  const doubt = doubtOf(entry);
  if (isComposed(entry)) return `${doubt}${partsReason(entry, telling)}`;
  return doubt === '' ? resultReason(entry, newest) : `${doubt}${rowText(newest.seen)}`;
}

/** Begins a reason in which the newest result is not what decided. */
function doubtOf({ probed: { verdict, basis } }: Entry): string {
  if (verdict === 'unknown' || basis === 'quorum') return '';
  if (basis === 'divided')
    return `The vantages are split evenly, so it stays ${verdict} as before; the newest says: `;
  if (basis === 'no-quorum')
    return `Too few vantages can be heard for a quorum, so it stays ${verdict} as before; the newest says: `;
  return `No vantage has reported lately, so it stays ${verdict} as before; the last said: `;
}

function resultReason({ probed: { verdict } }: Entry, { tally, seen }: Newest): string {
  if (leaseHasEnded(tally)) return silenceText(tally);
  const { successes, failures } = seen.observation;
  if (successes + failures === 0 || seen.observation.report !== undefined) return rowText(seen);
  const agrees = verdict === (failures > 0 ? 'down' : 'up');
  return agrees ? rowText(seen) : `Still ${verdict} after ${rowText(seen)}`;
}

function rowText({ observation }: Seen): string {
  const { successes, failures, result, report } = observation;
  if (successes + failures === 0 || report !== undefined) return result.detail;
  const row = failures > 0 ? counted(failures, 'failure') : counted(successes, 'success', 'successes');
  return `${row} in a row: ${result.detail}`;
}

function silenceText(tally: Tally | undefined): string {
  const seen = tally?.newest === undefined ? undefined : tally.seen.get(tally.newest);
  if (seen === undefined) return 'It has not reported within its lease.';
  return `It has not reported again within its lease; the last report was of ${timeText(seen.madeAtMs)}: ${seen.observation.result.detail}`;
}

function partsReason(entry: Entry, telling: Telling): string {
  const parts = partsOf(entry, telling);
  // What disagrees with the verdict explains nothing, so it comes last.
  const agreeing = parts.filter(({ verdict }) => verdict === entry.probed.verdict);
  const told = [...agreeing, ...parts.filter((part) => !agreeing.includes(part))];
  const texts = told.slice(0, MAX_PARTS_TOLD).map(({ key, verdict }) => `${key} is ${verdict}`);
  const more = parts.length > MAX_PARTS_TOLD ? ` and ${parts.length - MAX_PARTS_TOLD} more` : '';
  return `Of its composed check ${texts.join(', ')}${more}.`;
}

function counted(count: number, one: string, many: string = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

function ageText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

/** What the API and the status page show of the entry. */
export function healthOf(entry: Entry, telling: Telling): EndpointHealth {
  const { definition, override, probed } = entry;
  const newest = newestOf(entry, telling);
  const { check } = definition;
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
    reason: reasonOf(entry, telling),
    probed: probed.verdict,
    basis: probed.basis,
    stale: check !== undefined && probed.verdict !== 'unknown' && probed.basis !== 'quorum',
    rememberedFrom: entry.rememberedAtMs === undefined ? undefined : timeText(entry.rememberedAtMs),
    unknown: definition.poolRules.unknown,
    held: heldOf(entry, telling),
    lastKnownUp: entry.lastKnownUp,
    lastResult: newest === undefined ? undefined : lastResultOf(newest),
    consecutiveSuccesses: newest?.seen.observation.successes ?? 0,
    consecutiveFailures: newest?.seen.observation.failures ?? 0,
    vantages: isComposed(entry) ? [] : vantagesOf(entry, telling),
    parts: isComposed(entry) ? partsOf(entry, telling) : [],
    override: override === undefined ? undefined : inForce(override),
    // The board knows nothing of TTLs.
    drain: undefined,
  };
}

function inForce({ id, from, state, author, reason, expiresAt }: StandingOverride): OverrideInForce {
  return { kind: from ?? 'override', id, state, author, reason, expiresAt };
}

function heldOf(entry: Entry, telling: Telling): HeldByRail | undefined {
  const { held: rail, wanted, definition } = entry;
  if (rail === undefined) return undefined;
  const limit = definition.poolRules.guardRails?.[rail] ?? 0;
  const rule =
    rail === 'minimumUp'
      ? `${counted(limit, 'endpoint')} ${limit === 1 ? 'stays' : 'stay'} up`
      : `at most ${counted(limit, 'data center')} may be lost`;
  const why = wantedReason(entry, telling);
  const reason = `A guard rail of the pool ${definition.pool} (${rule}) keeps it in service, where it would be ${wanted}: ${why}`;
  return { rail, instead: wanted, reason };
}

function isComposed({ definition: { check, key } }: Entry): boolean {
  return check !== undefined && !(check.rule.kind === 'source' && check.rule.key === key);
}

interface Newest {
  readonly vantage: string;
  readonly tally: Tally;
  readonly seen: Seen;
}

/** The newest observation over all that the entry's rule reads. */
function newestOf({ definition: { check } }: Entry, { tallyOf }: Telling): Newest | undefined {
  let newest: Newest | undefined;
  for (const { key } of check?.sources ?? []) {
    const tally = tallyOf(key);
    const vantage = tally?.newest;
    const seen = vantage === undefined ? undefined : tally?.seen.get(vantage);
    if (tally === undefined || vantage === undefined || seen === undefined) continue;
    if (newest === undefined || seen.madeAtMs > newest.seen.madeAtMs) newest = { vantage, tally, seen };
  }
  return newest;
}

function lastResultOf({ vantage, tally, seen }: Newest): LastResult {
  const { result } = seen.observation;
  const at = timeText(seen.madeAtMs);
  if (!leaseHasEnded(tally)) return { vantage, at, ...result };
  return { vantage, at, ...result, ok: false, reason: 'lease-expired', detail: silenceText(tally) };
}

function partsOf({ definition: { check } }: Entry, { tallyOf }: Telling): readonly PartHealth[] {
  return (check?.sources ?? []).map(({ key, monitor }) => {
    const { verdict = 'unknown', basis = 'silent' } = tallyOf(key)?.consensus ?? {};
    return { key, monitor, verdict, basis };
  });
}

function vantagesOf({ definition }: Entry, { tallyOf, votes, nowMs }: Telling): readonly VantageHealth[] {
  const tally = tallyOf(definition.key);
  if (tally === undefined) return [];
  const vantages = Array.from(tally.seen, ([vantage, seen]) => ({
    vantage,
    verdict: seen.observation.verdict,
    at: timeText(seen.madeAtMs),
    fresh: isCounted(tally, seen, nowMs),
    votes: votes(tally, vantage),
  }));
  return vantages.sort((one, other) => (one.vantage < other.vantage ? -1 : 1));
}

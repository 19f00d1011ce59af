import { readFileSync } from 'node:fs';
import type { UnknownRule } from '../../config/resources/pool.ts';
import { replaceFileSync } from '../../disk/replace-file.ts';
import type { EndpointHealth, OverrideInForce } from '../../health/endpoint-health.ts';
import type { Leave } from '../../health/overrides/drain-book.ts';
import { probeTarget, type RememberedVerdict } from '../../health/remembered-verdict.ts';

/** Older than this, what was known says little about now: a restart takes seconds, a repair may take an hour. */
const MAX_AGE_MS = 3_600_000;

/** What was known of one endpoint when the file was written. */
export interface KeptEndpoint {
  /** `pool/endpoint`. */
  readonly key: string;
  /** See `probeTarget`. */
  readonly target: string;
  /** False where nothing checks the endpoint: it then counts as up. */
  readonly monitored: boolean;
  readonly probed: 'up' | 'down' | 'unknown';
  /** When the endpoint took its verdict, in milliseconds since the epoch. */
  readonly sinceMs: number;
  readonly lastKnownUp: boolean;
  /** What its pool says of endpoints without a verdict. */
  readonly unknown: UnknownRule;
  /** Whether a guard rail of its pool kept it in service. */
  readonly held: boolean;
  readonly override: KeptOverride | undefined;
  /** Of what an override has taken out of service. */
  readonly leave: Leave | undefined;
}

interface KeptOverride {
  readonly state: 'up' | 'down' | 'drain';
  /** Null for one that does not end by itself. */
  readonly expiresAtMs: number | null;
}

export interface KeptVerdicts {
  readonly savedAtMs: number;
  readonly endpoints: readonly KeptEndpoint[];
}

/** Where a data directory keeps them. */
export const VERDICT_FILE = 'verdicts.json';

/**
 * The last verdicts, kept so that a restarted node does not send clients astray until its probes have reported.
 * A file that is missing or damaged means that nothing is known, as on a first start.
 */
export function readVerdicts(path: string): KeptVerdicts {
  try {
    return parseKept(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return NOTHING_KEPT;
  }
}

/** Whether the probes' verdicts of a file still say something. */
export function isRecent({ savedAtMs }: KeptVerdicts, nowMs: number): boolean {
  const ageMs = nowMs - savedAtMs;
  return ageMs >= 0 && ageMs <= MAX_AGE_MS;
}

/** What the board may go by until its own probes have reported. */
export function rememberedVerdicts(kept: KeptVerdicts, nowMs: number): readonly RememberedVerdict[] {
  if (!isRecent(kept, nowMs)) return [];
  return kept.endpoints.flatMap(({ key, target, monitored, probed, sinceMs, lastKnownUp }) =>
    monitored && probed !== 'unknown'
      ? [{ key, verdict: probed, target, sinceMs, lastKnownUp, knownAtMs: kept.savedAtMs }]
      : [],
  );
}

/** What was out of service, and until when resolvers may send clients to it; that does not grow old. */
export function keptLeaves({ endpoints }: KeptVerdicts): ReadonlyMap<string, Leave> {
  return new Map(endpoints.flatMap(({ key, leave }) => (leave === undefined ? [] : [[key, leave]])));
}

/** Writes beside the old file and swaps; throws when the disk does not take it. */
export function writeVerdicts(path: string, health: readonly EndpointHealth[], nowMs: number): void {
  const kept: KeptVerdicts = { savedAtMs: nowMs, endpoints: health.map(keptEndpoint) };
  replaceFileSync(path, [Buffer.from(JSON.stringify(kept))]);
}

function keptEndpoint(endpoint: EndpointHealth): KeptEndpoint {
  const { key, monitor, probed, since, lastKnownUp, unknown, held, override, drain } = endpoint;
  return {
    key,
    target: probeTarget(endpoint),
    monitored: monitor !== undefined,
    probed,
    sinceMs: Date.parse(since),
    lastKnownUp,
    unknown,
    held: held !== undefined,
    override: override === undefined ? undefined : keptOverride(override),
    leave: keptLeave(drain),
  };
}

function keptOverride({ state, expiresAt }: OverrideInForce): KeptOverride {
  return { state, expiresAtMs: expiresAt === undefined ? null : Date.parse(expiresAt) };
}

function keptLeave(drain: EndpointHealth['drain']): Leave | undefined {
  if (drain?.leftAt === undefined || drain.safeToRebootAt === undefined) return undefined;
  return { leftAtMs: Date.parse(drain.leftAt), goneAtMs: Date.parse(drain.safeToRebootAt) };
}

const NOTHING_KEPT: KeptVerdicts = { savedAtMs: 0, endpoints: [] };

/*
 * By hand and not by schema: this is read before the first answer, and the library for schemas takes longer to load
 * than everything else that happens until then.
 */

function parseKept(value: unknown): KeptVerdicts {
  const { savedAtMs, endpoints } = value as { readonly savedAtMs: unknown; readonly endpoints: unknown };
  if (typeof savedAtMs !== 'number' || !Array.isArray(endpoints)) return NOTHING_KEPT;
  return { savedAtMs, endpoints: endpoints.flatMap(parseEndpoint) };
}

function parseEndpoint(value: unknown): readonly KeptEndpoint[] {
  if (value === null || typeof value !== 'object') return [];
  const { key, target, monitored, probed, sinceMs, lastKnownUp, unknown, held, override, leave } =
    value as Readonly<Record<keyof KeptEndpoint, unknown>>;
  if (typeof key !== 'string' || typeof target !== 'string' || typeof sinceMs !== 'number') return [];
  if (probed !== 'up' && probed !== 'down' && probed !== 'unknown') return [];
  return [
    {
      key,
      target,
      monitored: monitored === true,
      probed,
      sinceMs,
      lastKnownUp: lastKnownUp === true,
      unknown: unknown === 'serve' || unknown === 'withhold' ? unknown : 'last-resort',
      held: held === true,
      override: parseOverride(override),
      leave: parseLeave(leave),
    },
  ];
}

function parseOverride(value: unknown): KeptOverride | undefined {
  if (value === null || typeof value !== 'object') return undefined;
  const { state, expiresAtMs } = value as Readonly<Record<keyof KeptOverride, unknown>>;
  const known = state === 'up' || state === 'down' || state === 'drain';
  return known && (expiresAtMs === null || typeof expiresAtMs === 'number')
    ? { state, expiresAtMs }
    : undefined;
}

function parseLeave(value: unknown): Leave | undefined {
  if (value === null || typeof value !== 'object') return undefined;
  const { leftAtMs, goneAtMs } = value as Readonly<Record<keyof Leave, unknown>>;
  return isTime(leftAtMs) && isTime(goneAtMs) ? { leftAtMs, goneAtMs } : undefined;
}

/** RFC 3339 has four digits for the year, and no date before the epoch was written by a node. */
const MAX_TIME_MS = Date.UTC(9999, 0);

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= MAX_TIME_MS;
}

import { aboutTarget } from '../../config/override-targets.ts';
import type { MaintenanceWindow } from '../../config/resources/maintenance-window.ts';
import type { Override, OverrideTarget } from '../../config/resources/override.ts';
import { type EndpointHealth, timeText } from '../endpoint-health.ts';
import { windowStateAt } from './maintenance.ts';
import { expiryMs } from './override.ts';

/** Endpoints that are named; an operator reads a few, and `endpointCount` has how many there are. */
export const MAX_ENDPOINTS_NAMED = 1000;

/** What an override comes to at a moment. It is JSON as it stands; times are RFC 3339, UTC. */
export interface OverrideFigures {
  /** Whether it has not expired. */
  readonly inForce: boolean;
  /** The first of the endpoints that it is about, as `pool/endpoint`. */
  readonly endpoints: readonly string[];
  readonly endpointCount: number;
  /**
   * When the last resolver that honours TTLs has let go of the last of them. Undefined where it takes nothing out of
   * service, and where one of them is still answered.
   */
  readonly safeToRebootAt: string | undefined;
  /** One sentence: when, or why not. Undefined for what takes nothing out of service. */
  readonly rebootNote: string | undefined;
}

export interface WindowFigures extends Omit<OverrideFigures, 'inForce'> {
  readonly open: boolean;
  /** When it ends; undefined while it is not open. */
  readonly endsAt: string | undefined;
  /** The first opening that is yet to come. */
  readonly nextOpensAt: string | undefined;
}

/** Endpoints by what overrides name of them, so that a page of overrides does not walk all of them for each. */
export interface HealthIndex {
  readonly all: readonly EndpointHealth[];
  readonly byPool: ReadonlyMap<string, readonly EndpointHealth[]>;
  readonly byDataCenter: ReadonlyMap<string, readonly EndpointHealth[]>;
}

export function indexHealth(all: readonly EndpointHealth[]): HealthIndex {
  return {
    all,
    byPool: Map.groupBy(all, ({ pool }) => pool),
    byDataCenter: Map.groupBy(all, ({ dataCenter }) => dataCenter),
  };
}

export function overrideFigures(override: Override, health: HealthIndex, nowMs: number): OverrideFigures {
  const inForce = expiryMs(override) > nowMs;
  const drains = inForce && override.state !== 'up';
  return { inForce, ...figuresOf(override.target, health, drains ? 'drains' : 'idle') };
}

export function windowFigures(window: MaintenanceWindow, health: HealthIndex, nowMs: number): WindowFigures {
  const { endsAtMs, nextOpensAtMs } = windowStateAt(window, nowMs);
  return {
    open: endsAtMs !== undefined,
    endsAt: endsAtMs === undefined ? undefined : timeText(endsAtMs),
    nextOpensAt: nextOpensAtMs === undefined ? undefined : timeText(nextOpensAtMs),
    ...figuresOf(window.target, health, endsAtMs === undefined ? 'idle' : 'drains'),
  };
}

function figuresOf(
  target: OverrideTarget,
  health: HealthIndex,
  effect: 'drains' | 'idle',
): Omit<OverrideFigures, 'inForce'> {
  const members = candidates(target, health).filter(aboutTarget(target));
  return {
    endpoints: members.slice(0, MAX_ENDPOINTS_NAMED).map(({ key }) => key),
    endpointCount: members.length,
    ...(effect === 'idle' ? { safeToRebootAt: undefined, rebootNote: undefined } : safeToReboot(members)),
  };
}

function candidates(
  target: OverrideTarget,
  { all, byPool, byDataCenter }: HealthIndex,
): readonly EndpointHealth[] {
  switch (target.kind) {
    case 'endpoint':
    case 'pool':
      return byPool.get(target.pool) ?? [];
    case 'data-center':
      return byDataCenter.get(target.dataCenter) ?? [];
    case 'glob':
      return all;
  }
}

/** All of them have to be: a machine room is switched off as one. */
function safeToReboot(
  members: readonly EndpointHealth[],
): Pick<OverrideFigures, 'safeToRebootAt' | 'rebootNote'> {
  const waiting = members.filter(({ drain }) => drain?.safeToRebootAt === undefined);
  const [first] = waiting;
  if (first !== undefined) {
    const more = waiting.length === 1 ? '' : ` (and ${waiting.length - 1} more)`;
    const why = first.drain?.note ?? `It is ${first.verdict}: ${first.reason}`;
    return { safeToRebootAt: undefined, rebootNote: `Not safe for ${first.key}${more}: ${why}` };
  }
  const times = members.flatMap(({ drain }) => drain?.safeToRebootAt ?? []);
  // All are written alike, so that the order of the texts is that of time.
  const safeToRebootAt = times.reduce<string | undefined>(
    (last, time) => (last === undefined || time > last ? time : last),
    undefined,
  );
  if (safeToRebootAt === undefined)
    return { safeToRebootAt, rebootNote: 'There is no endpoint that it is about.' };
  const note = `The last resolver that honours TTLs lets go of ${members.length === 1 ? 'it' : 'the last of them'} at ${safeToRebootAt}.`;
  return { safeToRebootAt, rebootNote: note };
}

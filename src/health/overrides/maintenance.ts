import { cronOpenings, type Openings } from '../../config/calendar/openings.ts';
import type { Stored } from '../../config/model.ts';
import type { MaintenanceWindow } from '../../config/resources/maintenance-window.ts';
import { timeText } from '../endpoint-health.ts';
import type { StandingOverride } from './override.ts';

const MINUTE_MS = 60_000;

/** What a window does at a moment; times are milliseconds since the epoch. */
export interface WindowState {
  /** When it ends; undefined while it is not open. Of openings that overlap, the end of the last so far. */
  readonly endsAtMs: number | undefined;
  /** The first opening that is yet to come; undefined when there is none. */
  readonly nextOpensAtMs: number | undefined;
}

/** The state of a window; see `cronOpenings` for days on which clocks change. A minute is a minute on all of them. */
export function windowStateAt({ schedule }: MaintenanceWindow, nowMs: number): WindowState {
  if (schedule.kind === 'once') {
    const startsAtMs = Date.parse(schedule.startsAt);
    const endsAtMs = Date.parse(schedule.endsAt);
    return {
      endsAtMs: startsAtMs <= nowMs && nowMs < endsAtMs ? endsAtMs : undefined,
      nextOpensAtMs: startsAtMs > nowMs ? startsAtMs : undefined,
    };
  }
  const openings = openingsOf(schedule);
  const durationMs = schedule.durationMinutes * MINUTE_MS;
  const openedAtMs = openings?.lastAt(nowMs, nowMs - durationMs + 1);
  return {
    endsAtMs: openedAtMs === undefined ? undefined : openedAtMs + durationMs,
    nextOpensAtMs: openings?.after(nowMs),
  };
}

/** The maintenance windows of a configuration, and the overrides of those that are open. */
export interface Maintenance {
  /** Follows other windows. */
  follow(windows: ReadonlyMap<string, Stored<MaintenanceWindow>>, nowMs: number): void;
  /** Whether a window has opened or ended since the last call of any of these. */
  look(nowMs: number): boolean;
  /** As of the last look. */
  overrides(): readonly StandingOverride[];
}

interface Followed {
  readonly stored: Stored<MaintenanceWindow>;
  state: WindowState;
}

export function createMaintenance(): Maintenance {
  let followed: readonly Followed[] = [];
  let lookedAtMs = 0;
  /** When the next of them opens or ends. */
  let nextChangeMs = Number.POSITIVE_INFINITY;
  const turn = (nowMs: number): void => {
    lookedAtMs = nowMs;
    nextChangeMs = Number.POSITIVE_INFINITY;
    for (const { state } of followed) nextChangeMs = Math.min(nextChangeMs, changeMs(state));
  };
  return {
    follow(windows, nowMs) {
      const before = new Map(followed.map((window) => [window.stored, window]));
      followed = Array.from(windows.values(), (stored) => {
        const known = before.get(stored);
        const holds = known !== undefined && nowMs >= lookedAtMs && nowMs < changeMs(known.state);
        return holds ? known : { stored, state: windowStateAt(stored.value, nowMs) };
      });
      turn(nowMs);
    },
    look(nowMs) {
      // A clock that was set back may have left windows that are yet to open.
      const wentBack = nowMs < lookedAtMs;
      if (!wentBack && nowMs < nextChangeMs) {
        lookedAtMs = nowMs;
        return false;
      }
      for (const window of followed)
        if (wentBack || changeMs(window.state) <= nowMs)
          window.state = windowStateAt(window.stored.value, nowMs);
      turn(nowMs);
      return true;
    },
    overrides: () => followed.flatMap(overrideOf),
  };
}

function changeMs({ endsAtMs, nextOpensAtMs }: WindowState): number {
  const never = Number.POSITIVE_INFINITY;
  return Math.min(endsAtMs ?? never, nextOpensAtMs ?? never);
}

function overrideOf({ stored, state: { endsAtMs } }: Followed): readonly StandingOverride[] {
  if (endsAtMs === undefined) return [];
  const { value, author } = stored;
  const { name, state, target, reason } = value;
  const expiresAt = timeText(endsAtMs);
  return [{ id: name, from: 'maintenance-window', state, target, reason, author, expiresAt }];
}

type Repeating = Extract<MaintenanceWindow['schedule'], { kind: 'repeating' }>;

/** A schedule is read once. */
const known = new WeakMap<Repeating, { readonly openings: Openings | undefined }>();

function openingsOf(schedule: Repeating): Openings | undefined {
  const found = known.get(schedule) ?? { openings: cronOpenings(schedule.cron, schedule.timeZone) };
  known.set(schedule, found);
  return found.openings;
}

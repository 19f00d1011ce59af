import { HeavyHitters } from './heavy-hitters.ts';
import { MAX_TRAFFIC_MINUTES } from './traffic-report.ts';

/*
 * What is kept of each minute; an hour of the busiest minutes takes about 25 MB. Names, clients and data centers are
 * few on most nodes, but a stranger can ask for any name from any address, so every list has an end.
 */
const NAMES_PER_MINUTE = 512;
const PREFIXES_PER_MINUTE = 2048;
const NAME_DATA_CENTERS_PER_MINUTE = 1024;

const MINUTE_MS = 60_000;

/** A clock that goes back by less is one that was set a little; by more, it was wrong before, and minutes start anew. */
const MAX_STEP_BACK_MS = 2 * MINUTE_MS;

/** One minute of traffic. */
export class TrafficMinute {
  readonly startMs: number;
  readonly names = new HeavyHitters<string>(NAMES_PER_MINUTE);
  readonly clients = new HeavyHitters<number>(PREFIXES_PER_MINUTE);
  readonly resolvers = new HeavyHitters<number>(PREFIXES_PER_MINUTE);
  readonly nameDataCenters = new HeavyHitters<string>(NAME_DATA_CENTERS_PER_MINUTE);
  /** Exact: there are no more of them than the configuration may have, and a few that left it within the minute. */
  readonly dataCenters = new Map<string, number>();
  queries = 0;
  /** Those with a located client. */
  located = 0;
  samples = 0;
  dropped = 0;

  constructor(startMs: number) {
    this.startMs = startMs;
  }
}

/** The last hour, minute by minute; minutes without traffic take no room. */
export class TrafficMinutes {
  #minutes: TrafficMinute[] = [];

  /** The minute that a time lies in. Times may stand still or go back a little, as clocks do. */
  at(timeMs: number): TrafficMinute {
    const latest = this.#minutes.at(-1);
    const startMs = timeMs - (timeMs % MINUTE_MS);
    if (latest !== undefined && startMs <= latest.startMs && latest.startMs - startMs < MAX_STEP_BACK_MS)
      return latest;
    const minute = new TrafficMinute(startMs);
    const oldestMs = startMs - (MAX_TRAFFIC_MINUTES - 1) * MINUTE_MS;
    this.#minutes = [
      ...this.#minutes.filter((kept) => kept.startMs >= oldestMs && kept.startMs < startMs),
      minute,
    ];
    return minute;
  }

  /** Those of the last so many minutes, the one under way among them. */
  last(minutes: number, nowMs: number): readonly TrafficMinute[] {
    const fromMs = startOfSpan(minutes, nowMs);
    return this.#minutes.filter(({ startMs }) => startMs >= fromMs && startMs <= nowMs);
  }
}

/** When the last so many minutes began, the one under way among them. */
export function startOfSpan(minutes: number, nowMs: number): number {
  return nowMs - (nowMs % MINUTE_MS) - (minutes - 1) * MINUTE_MS;
}

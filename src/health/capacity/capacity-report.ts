import type { PlaceState, Spill } from './capacity-control.ts';
import type { LoadReport } from './load-reports.ts';

/** A data center's capacity and what is made of it. It is JSON as it stands; amounts are load units, shares 0 to 1. */
export interface DataCenterCapacity {
  readonly dataCenter: string;
  readonly state: PlaceState;
  /** Undefined where nothing declares one: it takes whatever comes. */
  readonly capacity: number | undefined;
  /** Fresh report of its load; undefined where there is none. */
  readonly reportedLoad: number | undefined;
  /** Age of that report. */
  readonly reportAgeSeconds: number | undefined;
  /** What the plan expects it to be given. */
  readonly expectedLoad: number;
  /** What its own clients ask for: those that it is the first choice of. */
  readonly ownDemand: number;
  /** Capacity less load, reported if possible; negative where it is overloaded. Undefined without a capacity. */
  readonly room: number | undefined;
  /** Shares that it passes on, of its own clients and of its guests, and where these move to. */
  readonly homeSpill: number;
  readonly guestSpill: number;
  readonly homeTarget: number;
  readonly guestTarget: number;
  /** What is left of its slow start: 1 at its beginning, 0 when it is over or there was none. */
  readonly slowStart: number;
  /** Sentences: why it passes on what it does. */
  readonly why: readonly string[];
}

export function describeCapacity(
  dataCenter: string,
  spill: Spill,
  capacity: number | undefined,
  report: LoadReport | undefined,
  nowMs: number,
): DataCenterCapacity {
  const load = report?.load ?? spill.flow.load;
  return {
    dataCenter,
    state: spill.state,
    capacity,
    reportedLoad: report?.load,
    reportAgeSeconds:
      report === undefined ? undefined : Math.max(0, Math.round((nowMs - report.atMs) / 1000)),
    expectedLoad: rounded(spill.flow.load),
    ownDemand: rounded(spill.ownRate),
    room: capacity === undefined ? undefined : rounded(capacity - load),
    homeSpill: rounded(spill.home),
    guestSpill: rounded(spill.guest),
    homeTarget: rounded(spill.homeTarget),
    guestTarget: rounded(spill.guestTarget),
    slowStart: rounded(spill.ramp),
    why: reasons(spill, capacity),
  };
}

function reasons(spill: Spill, capacity: number | undefined): readonly string[] {
  const { state, home, guest, ramp, moved, homeTarget, ownRate, flow } = spill;
  if (state === 'down')
    return [
      ramp > 0
        ? 'It is down; when it returns it starts slowly, and passes everybody on at first.'
        : 'It is down, so that there is nobody to pass on.',
    ];
  const why: string[] = [];
  if (ramp > 0 && ramp >= Math.min(home, guest))
    why.push(`It was down and starts slowly: it still passes ${percent(ramp)} of its clients on.`);
  if (moved > 0 && capacity !== undefined)
    why.push(
      `Its own clients ask for ${number(ownRate)} of ${number(capacity)}: it passes ${percent(moved)} of them on${towards(moved, homeTarget)}.`,
    );
  else if (homeTarget > 0)
    why.push(`It begins to pass on its own clients, up to ${percent(homeTarget)} of them.`);
  if (guest > ramp && guest > 0)
    why.push(
      `It has no room for all whose earlier choices cannot take them: it passes ${percent(guest)} of these on.`,
    );
  if (flow.returned > 0.01 * flow.load)
    why.push(`${number(flow.returned)} of its load found no room anywhere and came back to it.`);
  if (why.length === 0)
    why.push(
      capacity === undefined ? 'It declares no capacity, so that it takes whatever comes.' : 'It has room.',
    );
  return why;
}

function towards(moved: number, target: number): string {
  if (Math.abs(target - moved) < 0.005) return '';
  return `, on the way to ${percent(target)}`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function number(amount: number): string {
  return String(rounded(amount));
}

/** Three decimals: what is behind them is noise. */
function rounded(amount: number): number {
  return Math.round(amount * 1000) / 1000;
}

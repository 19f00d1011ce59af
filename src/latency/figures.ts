import { type GroupKind, groupKind, type MeasuredFigures } from '../steering/measured.ts';
import type { GroupFigures } from './decide-group.ts';
import { MAX_MEASURED_ASNS, MAX_MEASURED_COUNTRIES, MAX_MEASURED_PREFIXES } from './limits.ts';

/** A group that may steer. */
export interface WeighedGroup {
  readonly group: string;
  readonly figures: GroupFigures;
  readonly weight: number;
}

/** Most groups of each kind that steer. */
export const groupLimits: Readonly<Record<GroupKind, number>> = {
  prefix: MAX_MEASURED_PREFIXES,
  asn: MAX_MEASURED_ASNS,
  country: MAX_MEASURED_COUNTRIES,
};

/** Who steers already needs half the weight of who does not, so that the last places do not change hands all the time. */
const INCUMBENT_FACTOR = 2;

/** The heaviest groups of each kind, within the limits. */
export function heaviestGroups(
  groups: readonly WeighedGroup[],
  steersNow: (group: string) => boolean,
  limits: Readonly<Record<GroupKind, number>> = groupLimits,
): ReadonlyMap<string, GroupFigures> {
  const byKind = Map.groupBy(groups, ({ group }) => groupKind(group));
  const chosen = [...byKind].flatMap(([kind, ofKind]) =>
    ofKind.length <= limits[kind] ? ofKind : heaviest(ofKind, steersNow, limits[kind]),
  );
  return new Map(chosen.map(({ group, figures }) => [group, figures]));
}

/** Weights are sorted as numbers first: there may be a hundred thousand, and the main thread does this. */
function heaviest(
  groups: readonly WeighedGroup[],
  steersNow: (group: string) => boolean,
  count: number,
): readonly WeighedGroup[] {
  const weights = Float64Array.from(
    groups,
    ({ group, weight }) => weight * (steersNow(group) ? INCUMBENT_FACTOR : 1),
  );
  const least = weights.toSorted()[weights.length - count] ?? 0;
  const above = groups.filter((_, at) => (weights[at] ?? 0) > least);
  const equal = groups.filter((_, at) => weights[at] === least);
  equal.sort((one, other) => (one.group < other.group ? -1 : 1));
  return [...above, ...equal.slice(0, count - above.length)];
}

/** Lays the figures out for steering; equal figures give equal tables, whatever their order. */
export function measuredFigures(groups: ReadonlyMap<string, GroupFigures>): MeasuredFigures {
  const names = new Set<string>();
  for (const { milliseconds } of groups.values()) for (const name of milliseconds.keys()) names.add(name);
  const dataCenters = [...names].sort();
  const rows = [...groups.keys()].sort();
  return {
    dataCenters,
    groups: rows,
    milliseconds: rows.flatMap((group) =>
      dataCenters.map((name) => groups.get(group)?.milliseconds.get(name) ?? 0),
    ),
  };
}

export function isSameFigures(one: MeasuredFigures, other: MeasuredFigures): boolean {
  return (
    isSameList(one.dataCenters, other.dataCenters) &&
    isSameList(one.groups, other.groups) &&
    isSameList(one.milliseconds, other.milliseconds)
  );
}

function isSameList<T>(one: readonly T[], other: readonly T[]): boolean {
  return one.length === other.length && one.every((value, at) => value === other[at]);
}

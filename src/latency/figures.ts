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
  const chosen = [...byKind].flatMap(([kind, ofKind]) => {
    if (ofKind.length <= limits[kind]) return ofKind;
    const ranked = ofKind.map((one) => ({
      ...one,
      weight: one.weight * (steersNow(one.group) ? INCUMBENT_FACTOR : 1),
    }));
    return ranked
      .sort((one, other) => other.weight - one.weight || (one.group < other.group ? -1 : 1))
      .slice(0, limits[kind]);
  });
  return new Map(chosen.map(({ group, figures }) => [group, figures]));
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

import { clearPast, formatPrefix } from '../dns/address.ts';
import type { ClientLocation } from '../geo/location.ts';

/**
 * Round-trip times as steering uses them, one row for each group of clients:
 *
 *     groups          dataCenters   ams    fra    lon
 *     192.0.2.0/24                  18.2   12.4   0        0: not measured
 *     AS64500                        6.1    2.0   9.5
 *     DE                             4.0    4.4   9.9
 *
 * A prefix is one place, so that its row holds whole round-trip times. The clients of an AS or a country are in many
 * places: their rows hold detours, what a round trip takes beyond the light's way there and back. A detour tells what
 * is wrong with the way to a data center, and the distance of each client still counts.
 */
export interface MeasuredFigures {
  /** The columns, by name ascending. */
  readonly dataCenters: readonly string[];
  /** The rows, in the order of their texts. */
  readonly groups: readonly string[];
  /** Row by row; milliseconds above 0, or 0 where nothing is known. */
  readonly milliseconds: readonly number[];
}

export const NOTHING_MEASURED: MeasuredFigures = { dataCenters: [], groups: [], milliseconds: [] };

/** What one site of a network commonly announces or is given; narrower ones would hold too few clients. */
export const V4_GROUP_LENGTH = 24;
export const V6_GROUP_LENGTH = 48;

/** Light in fibre covers 200 km in a millisecond, there and back 100 km: no round trip is faster. */
export const MILLISECONDS_PER_KM = 0.01;

export type GroupKind = 'prefix' | 'asn' | 'country';

/** The groups that a client belongs to, narrowest first. */
export function groupsOfClient(
  family: 4 | 6,
  address: Uint8Array,
  { asn, country }: Pick<ClientLocation, 'asn' | 'country'>,
): readonly string[] {
  const length = family === 4 ? V4_GROUP_LENGTH : V6_GROUP_LENGTH;
  const octets = clearPast(address.subarray(0, family === 4 ? 4 : 16), length);
  return [formatPrefix(octets, length), ...wideGroups({ asn, country })];
}

/** The groups beyond the prefix, as far as they are known. */
export function wideGroups({ asn, country }: Pick<ClientLocation, 'asn' | 'country'>): readonly string[] {
  return [...(asn === 0 ? [] : [`AS${asn}`]), ...(country === '' ? [] : [country])];
}

export function groupKind(group: string): GroupKind {
  if (group.includes('/')) return 'prefix';
  // American Samoa is AS, without digits.
  return group.length > 2 ? 'asn' : 'country';
}

/** The same figures with the rows of these groups only. */
export function figuresOfGroups(figures: MeasuredFigures, groups: readonly string[]): MeasuredFigures {
  const { dataCenters } = figures;
  const rows = figures.groups.flatMap((group, row) => (groups.includes(group) ? [row] : []));
  return {
    dataCenters,
    groups: rows.map((row) => figures.groups[row] ?? ''),
    milliseconds: rows.flatMap((row) =>
      figures.milliseconds.slice(row * dataCenters.length, (row + 1) * dataCenters.length),
    ),
  };
}

import { distanceKm, pointOf } from '../geo/distance.ts';
import type { ClientLocation, Coordinates } from '../geo/location.ts';
import { groupKind, groupsOfClient, MILLISECONDS_PER_KM } from '../steering/measured.ts';
import {
  MAX_CELLS,
  MAX_DATA_CENTERS_OF_GROUP,
  MAX_GROUPS,
  MAX_PREFIX_SHARE,
  MIN_MILLISECONDS,
} from './limits.ts';
import type { Measurement } from './measurement.ts';
import { addSample, forgetBefore, newestSlot, type Sketch, samplesOfSlot, slotOf } from './sketch.ts';

/** The sketches of a group, by data center. */
export type GroupSketches = ReadonlyMap<string, Sketch>;

/** Smaller bounds, for tests. */
export interface LedgerBounds {
  readonly groups: number;
  readonly cells: number;
}

/**
 * What was measured, by group and data center.
 *
 *     192.0.2.0/24 -> fra -> sketch of round-trip times       the group that heard last is the last
 *                     ams -> sketch of round-trip times
 *     AS64500      -> fra -> sketch of detours
 *
 * When there is no room, the group that has heard nothing for longest goes.
 */
export class LatencyLedger {
  readonly #groups = new Map<string, Map<string, Sketch>>();
  readonly #bounds: LedgerBounds;
  #cells = 0;
  #sketches = 0;

  constructor(bounds: LedgerBounds = { groups: MAX_GROUPS, cells: MAX_CELLS }) {
    this.#bounds = bounds;
  }

  /** Takes a measurement into the groups of its client. `place` is where the data center is. */
  add(measurement: Measurement, client: ClientLocation, place: Coordinates): void {
    const { dataCenter, milliseconds, atMs } = measurement;
    const { family, octets } = measurement.client;
    const slot = slotOf(atMs);
    const [prefix = '', ...wide] = groupsOfClient(family, octets, client);
    const ofPrefix = this.#groups.get(prefix)?.get(dataCenter);
    const speaksForMore = ofPrefix === undefined || samplesOfSlot(ofPrefix, slot) < MAX_PREFIX_SHARE;
    if (speaksForMore && client.coordinates !== undefined) {
      const detour = Math.max(MIN_MILLISECONDS, milliseconds - lightMs(client.coordinates, place));
      for (const group of wide) this.#count(group, dataCenter, slot, detour);
    }
    this.#count(prefix, dataCenter, slot, milliseconds);
    while (this.#groups.size > this.#bounds.groups || this.#cells > this.#bounds.cells) this.#forgetStalest();
  }

  /** By name of the data center; undefined for a group that nothing is known of. */
  sketchesOf(group: string): GroupSketches | undefined {
    return this.#groups.get(group);
  }

  /** Stalest first. */
  entries(): MapIterator<[string, GroupSketches]> {
    return this.#groups.entries();
  }

  get size(): { readonly groups: number; readonly sketches: number; readonly cells: number } {
    return { groups: this.#groups.size, sketches: this.#sketches, cells: this.#cells };
  }

  /** Puts back what was kept, as the freshest so far; whole sketches as `sketchesOf` gave them. */
  restore(group: string, dataCenter: string, sketch: Sketch): void {
    const sketches = this.#touch(group);
    if (sketches.has(dataCenter) || sketches.size >= MAX_DATA_CENTERS_OF_GROUP) return;
    sketches.set(dataCenter, sketch);
    this.#sketches += 1;
    this.#cells += sketch.length;
    while (this.#groups.size > this.#bounds.groups || this.#cells > this.#bounds.cells) this.#forgetStalest();
  }

  /** Forgets, in one group, samples before a slot, and with its last sample the group. */
  prune(group: string, slot: number): void {
    const sketches = this.#groups.get(group);
    for (const [dataCenter, sketch] of sketches ?? []) {
      this.#cells -= forgetBefore(sketch, slot);
      if (sketch.length === 0) this.#drop(sketches, dataCenter);
    }
    if (sketches?.size === 0) this.#groups.delete(group);
  }

  /** Forgets a data center that is gone, or only its detours where it has moved. */
  forgetDataCenter(dataCenter: string, what: 'all' | 'detours'): void {
    for (const [group, sketches] of this.#groups) {
      if (what === 'detours' && groupKind(group) === 'prefix') continue;
      this.#drop(sketches, dataCenter);
      if (sketches.size === 0) this.#groups.delete(group);
    }
  }

  #count(group: string, dataCenter: string, slot: number, milliseconds: number): void {
    const sketches = this.#touch(group);
    let sketch = sketches.get(dataCenter);
    if (sketch === undefined) {
      if (sketches.size >= MAX_DATA_CENTERS_OF_GROUP) return;
      sketch = [];
      sketches.set(dataCenter, sketch);
      this.#sketches += 1;
    }
    this.#cells += addSample(sketch, slot, milliseconds);
  }

  /** The group, now the freshest. */
  #touch(group: string): Map<string, Sketch> {
    const sketches = this.#groups.get(group) ?? new Map<string, Sketch>();
    this.#groups.delete(group);
    this.#groups.set(group, sketches);
    return sketches;
  }

  #drop(sketches: Map<string, Sketch> | undefined, dataCenter: string): void {
    const sketch = sketches?.get(dataCenter);
    if (sketch === undefined) return;
    sketches?.delete(dataCenter);
    this.#cells -= sketch.length;
    this.#sketches -= 1;
  }

  #forgetStalest(): void {
    const [stalest] = this.#groups;
    if (stalest === undefined) return;
    const [group, sketches] = stalest;
    for (const dataCenter of sketches.keys()) this.#drop(sketches, dataCenter);
    this.#groups.delete(group);
  }
}

/** The newest sample of a group, as a slot. */
export function newestOf(sketches: GroupSketches): number {
  return Math.max(0, ...Array.from(sketches.values(), newestSlot));
}

function lightMs(client: Coordinates, place: Coordinates): number {
  const km = distanceKm(pointOf(client.latitude, client.longitude), pointOf(place.latitude, place.longitude));
  return km * MILLISECONDS_PER_KM;
}

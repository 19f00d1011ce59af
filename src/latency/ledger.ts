import { distanceKm, pointOf } from '../geo/distance.ts';
import type { ClientLocation, Coordinates } from '../geo/location.ts';
import { groupKind, groupsOfClient, MILLISECONDS_PER_KM } from '../steering/measured.ts';
import {
  MAX_CELLS,
  MAX_DATA_CENTERS_OF_GROUP,
  MAX_GROUPS,
  MAX_PREFIX_SHARE,
  MAX_SKETCHES,
  MIN_MILLISECONDS,
} from './limits.ts';
import type { Measurement } from './measurement.ts';
import { addSample, forgetBefore, type Sketch, samplesOfSlot, slotOf } from './sketch.ts';

/** The sketches of a group, by data center. */
export type GroupSketches = ReadonlyMap<string, Sketch>;

interface Group {
  readonly sketches: Map<string, Sketch>;
  /** Since it began, or since the hand came by. */
  isHeard: boolean;
}

/** Smaller bounds, for tests. */
export interface LedgerBounds {
  readonly groups: number;
  readonly sketches: number;
  readonly cells: number;
}

/**
 * What was measured, by group and data center.
 *
 *     192.0.2.0/24 -> fra -> sketch of round-trip times
 *                     ams -> sketch of round-trip times       <- hand
 *     AS64500      -> fra -> sketch of detours
 *
 * When there is no room, a hand goes round the groups: one that was heard since it came by last stays and has to be
 * heard again, one that was not goes. That is nearly the one that has heard nothing for longest, without an order that
 * every measurement would have to change.
 */
export class LatencyLedger {
  readonly #groups = new Map<string, Group>();
  /** A live iterator: it goes on behind what it gave last, whatever comes or goes meanwhile. */
  #hand: MapIterator<[string, Group]> | undefined;
  readonly #bounds: LedgerBounds;
  #cells = 0;
  #sketches = 0;

  constructor(bounds: LedgerBounds = { groups: MAX_GROUPS, sketches: MAX_SKETCHES, cells: MAX_CELLS }) {
    this.#bounds = bounds;
  }

  /** Takes a measurement into the groups of its client. `place` is where the data center is. */
  add(measurement: Measurement, client: ClientLocation, place: Coordinates): void {
    const { dataCenter, milliseconds, atMs } = measurement;
    const { family, octets } = measurement.client;
    const slot = slotOf(atMs);
    const [prefix = '', ...wide] = groupsOfClient(family, octets, client);
    const ofPrefix = this.#groups.get(prefix)?.sketches.get(dataCenter);
    const speaksForMore = ofPrefix === undefined || samplesOfSlot(ofPrefix, slot) < MAX_PREFIX_SHARE;
    if (speaksForMore && client.coordinates !== undefined) {
      const detour = Math.max(MIN_MILLISECONDS, milliseconds - lightMs(client.coordinates, place));
      for (const group of wide) this.#count(group, dataCenter, slot, detour);
    }
    this.#count(prefix, dataCenter, slot, milliseconds);
    this.#makeRoom();
  }

  /** By name of the data center; undefined for a group that nothing is known of. */
  sketchesOf(group: string): GroupSketches | undefined {
    return this.#groups.get(group)?.sketches;
  }

  /** Oldest first. */
  *entries(): Generator<readonly [string, GroupSketches]> {
    for (const [group, { sketches }] of this.#groups) yield [group, sketches];
  }

  get size(): { readonly groups: number; readonly sketches: number; readonly cells: number } {
    return { groups: this.#groups.size, sketches: this.#sketches, cells: this.#cells };
  }

  /** Puts back what was kept: whole sketches as `sketchesOf` gave them. */
  restore(group: string, dataCenter: string, sketch: Sketch): void {
    const sketches = this.#touch(group);
    if (sketches.has(dataCenter) || sketches.size >= MAX_DATA_CENTERS_OF_GROUP) return;
    sketches.set(dataCenter, sketch);
    this.#sketches += 1;
    this.#cells += sketch.length;
    this.#makeRoom();
  }

  /** Forgets, in one group, samples before a slot, and with its last sample the group. */
  prune(group: string, slot: number): void {
    const sketches = this.#groups.get(group)?.sketches;
    for (const [dataCenter, sketch] of sketches ?? []) {
      this.#cells -= forgetBefore(sketch, slot);
      if (sketch.length === 0) this.#drop(sketches, dataCenter);
    }
    if (sketches?.size === 0) this.#groups.delete(group);
  }

  /** Forgets a data center that is gone, or only its detours where it has moved. */
  forgetDataCenter(dataCenter: string, what: 'all' | 'detours'): void {
    for (const [group, { sketches }] of this.#groups) {
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

  /** The group, which has been heard. */
  #touch(group: string): Map<string, Sketch> {
    const known = this.#groups.get(group);
    if (known !== undefined) {
      known.isHeard = true;
      return known.sketches;
    }
    const sketches = new Map<string, Sketch>();
    this.#groups.set(group, { sketches, isHeard: false });
    return sketches;
  }

  #drop(sketches: Map<string, Sketch> | undefined, dataCenter: string): void {
    const sketch = sketches?.get(dataCenter);
    if (sketch === undefined) return;
    sketches?.delete(dataCenter);
    this.#cells -= sketch.length;
    this.#sketches -= 1;
  }

  #makeRoom(): void {
    while (this.#isFull()) {
      this.#hand ??= this.#groups.entries();
      const { value: next } = this.#hand.next();
      if (next === undefined) this.#hand = undefined;
      else if (next[1].isHeard) next[1].isHeard = false;
      else this.#forget(next[0], next[1]);
    }
  }

  #isFull(): boolean {
    const { groups, sketches, cells } = this.#bounds;
    return this.#groups.size > groups || this.#sketches > sketches || this.#cells > cells;
  }

  #forget(group: string, { sketches }: Group): void {
    for (const dataCenter of sketches.keys()) this.#drop(sketches, dataCenter);
    this.#groups.delete(group);
  }
}

function lightMs(client: Coordinates, place: Coordinates): number {
  const km = distanceKm(pointOf(client.latitude, client.longitude), pointOf(place.latitude, place.longitude));
  return km * MILLISECONDS_PER_KM;
}

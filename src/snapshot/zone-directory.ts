import type { HashedName } from '../dns/hashed-name.ts';
import { openZoneImage, type ZoneImage } from './zone-image.ts';

/**
 * All zones of a snapshot, found by the hash of their apex.
 *
 *     table     open addressing, a power of two of entries: position in `images` + 1, or 0
 *     images    the zones, in the order in which they were given
 */
export interface ZoneDirectory {
  readonly images: readonly ZoneImage[];
  readonly table: Int32Array;
  readonly tableMask: number;
  /** Labels of the longest apex. */
  readonly apexLabels: number;
}

/** What `findZone` returns outside all zones. */
export const NO_ZONE = -1;

/** Opens all images. Of several with the same apex the first is found. */
export function openZoneDirectory(images: readonly SharedArrayBuffer[]): ZoneDirectory {
  const opened = images.map(openZoneImage);
  let size = 4;
  while (size < 2 * opened.length) size *= 2;
  const table = new Int32Array(size);
  let apexLabels = 0;
  for (const [position, zone] of opened.entries()) {
    let slot = zone.apexHash & (size - 1);
    while (table[slot] !== 0) slot = (slot + 1) & (size - 1);
    table[slot] = position + 1;
    apexLabels = Math.max(apexLabels, zone.apexLabels);
  }
  return { images: opened, table, tableMask: size - 1, apexLabels };
}

/**
 * Position of the zone with the longest apex that is a suffix of `name`, from the given label on; `NO_ZONE` where
 * there is none.
 */
export function findZone(directory: ZoneDirectory, name: HashedName, firstLabel: number): number {
  const start = Math.max(firstLabel, name.labelCount - directory.apexLabels);
  for (let label = start; label <= name.labelCount; label++) {
    const zone = findApex(directory, name, label);
    if (zone !== NO_ZONE) return zone;
  }
  return NO_ZONE;
}

function findApex(directory: ZoneDirectory, name: HashedName, label: number): number {
  const hash = name.suffixHashes[label] as number;
  let slot = hash & directory.tableMask;
  for (;;) {
    const position = (directory.table[slot] as number) - 1;
    if (position === NO_ZONE) return NO_ZONE;
    if (apexMatches(directory.images[position] as ZoneImage, name, label, hash)) return position;
    slot = (slot + 1) & directory.tableMask;
  }
}

function apexMatches(zone: ZoneImage, name: HashedName, label: number, hash: number): boolean {
  const start = name.labelOffsets[label] as number;
  if (zone.apexHash !== hash || zone.apexLength !== name.length - start) return false;
  for (let i = 0; i < zone.apexLength; i++) {
    if (zone.octets[zone.apexAt + i] !== name.octets[start + i]) return false;
  }
  return true;
}

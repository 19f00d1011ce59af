import { openCollector } from '../collector.ts';
import type { SnapshotMessage } from '../snapshot/snapshot.ts';

/**
 * A minor collection takes well under a millisecond, which a hundred publications a second of small zones would still
 * feel; three images of 100,000 RRsets may wait for it.
 */
const MINOR_AFTER_OCTETS = 32 * 1024 ** 2;
/**
 * A major one holds up queries for some milliseconds, longer where others want the processor. So much may stay behind
 * where minor ones have missed it: a map of each of several geo tables.
 */
const MAJOR_AFTER_OCTETS = 256 * 1024 ** 2;

/**
 * Gives a function that is to be told how many octets of images a newer snapshot has replaced, and frees them in time.
 *
 * Images are shared memory, of which the collector counts nothing: to it a map of 40 MB is an object of a hundred
 * octets. A worker that allocates nothing per query would hardly ever collect, and every replaced image would stay.
 *
 *     replaced     10  20  30  40 .. MB          minor at 32 MB: those of late snapshots are young objects
 *                               ^ minor
 *     since major  10 ............... 260 MB     major at 256 MB: what grew old before it was replaced, such as the
 *                                      ^ major   first snapshot while the worker started
 */
export function createCollectReplaced(collect = openCollector()): (replacedOctets: number) => void {
  let sinceMinor = 0;
  let sinceMajor = 0;
  return (replacedOctets) => {
    sinceMinor += replacedOctets;
    sinceMajor += replacedOctets;
    if (sinceMinor < MINOR_AFTER_OCTETS) return;
    const type = sinceMajor >= MAJOR_AFTER_OCTETS ? 'major' : 'minor';
    sinceMinor = 0;
    if (type === 'major') sinceMajor = 0;
    collect({ type });
  };
}

/** Octets of the images that one snapshot has and the next has not. */
export function replacedOctets(before: SnapshotMessage, after: SnapshotMessage): number {
  const kept = new Set([...after.zones, ...after.maps]);
  let octets = 0;
  for (const image of [...before.zones, ...before.maps])
    if (image !== undefined && !kept.has(image)) octets += image.byteLength;
  return octets;
}

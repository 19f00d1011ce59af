/**
 * "The same again, now" of many observations: their numbers, sorted, each as its distance from the one before in
 * groups of seven bits, the lowest first, the top bit set but in the last.
 *
 *     numbers   5  6  7  300          distances  5  1  1  293
 *     octets    05 01 01 a5 02        one octet for most, where thousands of steady endpoints are told of
 */

/** What can be written in 28 bits: a node would count its endpoints anew a thousand times to come so far. */
const MAX_NUMBER = 2 ** 28 - 1;
const MAX_SHIFT = 21;

/** Numbers of one frame: as many as a node has endpoints go into one or two. */
export const MAX_AGAIN = 50_000;
const MAX_OCTETS = 4 * MAX_AGAIN;

/** At most `MAX_AGAIN` numbers, in any order, each once; whole, from 1 to `MAX_NUMBER`. */
export function encodeAgain(numbers: Iterable<number>): Uint8Array {
  const sorted = Uint32Array.from(numbers).sort();
  const octets = new Uint8Array(sorted.length * 4);
  let end = 0;
  let before = 0;
  for (const number of sorted) {
    let distance = number - before;
    before = number;
    while (distance > 0x7f) {
      octets[end++] = (distance & 0x7f) | 0x80;
      distance >>>= 7;
    }
    octets[end++] = distance;
  }
  return octets.subarray(0, end);
}

/** Calls `take` with every number; returns false where the octets are none of ours, after those that could be read. */
export function decodeAgain(octets: Uint8Array, take: (number: number) => void): boolean {
  if (octets.length > MAX_OCTETS) return false;
  let number = 0;
  let distance = 0;
  let shift = 0;
  for (const octet of octets) {
    distance |= (octet & 0x7f) << shift;
    if ((octet & 0x80) !== 0) {
      shift += 7;
      if (shift > MAX_SHIFT) return false;
      continue;
    }
    number += distance;
    if (distance === 0 || number > MAX_NUMBER) return false;
    take(number);
    distance = 0;
    shift = 0;
  }
  return shift === 0;
}

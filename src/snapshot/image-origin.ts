import type { ZoneImage } from './zone-image.ts';

/*
 * What an image is made from, in short: octets behind the apex, equal for equal inputs. An image that a node finds on
 * disk at its start need not be compiled again when they say the same as the configuration does.
 *
 *     octets   header | apex | ORIGIN_LENGTH octets | labels and records …
 */

/** A SHA-256. */
export const ORIGIN_LENGTH = 32;

/** Of an image that is never taken for another. */
export const NO_ORIGIN: Uint8Array = new Uint8Array(ORIGIN_LENGTH);

/** What the image was made from; undefined where that was not told. */
export function originOf({ octets, apexAt, apexLength }: ZoneImage): Uint8Array | undefined {
  const start = apexAt + apexLength;
  const origin = octets.slice(start, start + ORIGIN_LENGTH);
  return origin.every((octet) => octet === 0) ? undefined : origin;
}

/** For an image that is about to become another. */
export function clearOrigin({ octets, apexAt, apexLength }: ZoneImage): void {
  octets.fill(0, apexAt + apexLength, apexAt + apexLength + ORIGIN_LENGTH);
}

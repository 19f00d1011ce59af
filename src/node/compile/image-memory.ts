import { loadNative } from '../../server/native.ts';
import type { AllocateImage } from '../../snapshot/allocate-image.ts';

/** Two huge pages: what is smaller may hold none, and its ordinary pages fit into the processor's tables. */
const HUGE_FROM_OCTETS = 4 * 1024 * 1024;

/**
 * Makes the memory of an image in huge pages, as far as it is large, the kernel has them and the addon is there.
 * A query for a name at random in a zone of a million otherwise spends a quarter of its look-up on finding pages.
 * They are asked for before anything is written: what is written already stays where it is.
 */
export const allocateImage: AllocateImage = (octets) => {
  const image = new SharedArrayBuffer(octets);
  if (octets < HUGE_FROM_OCTETS) return image;
  const loaded = loadNative();
  if ('native' in loaded) loaded.native.adviseHugePages(new Uint8Array(image));
  return image;
};

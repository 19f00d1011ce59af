import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { replaceFileSync } from '../../disk/replace-file.ts';
import { allocateImage } from './image-memory.ts';

/**
 * One image as a file:
 *
 *     magic (4 octets) | CRC-32 of the image (4) | image
 *
 * The checksum is looked at whenever an image is read. That takes some 2 ms for every 10 MB, less than half of the
 * reading itself, and nothing is ever answered from a torn file.
 */
const MAGIC = 0x4d44_4331;
const HEADER_OCTETS = 8;

/** Of a data directory. */
export const IMAGE_DIRECTORY = 'images';
export const IMAGE_SUFFIX = '.image';

/** Where an image of that name lies in the directory of images. */
export function imagePath(directory: string, name: string): string {
  return join(directory, `${name}${IMAGE_SUFFIX}`);
}

/** Reads an image into shared memory; undefined for what is torn, damaged or no image. Throws as `open` does. */
export function readImageFile(path: string): SharedArrayBuffer | undefined {
  const file = openSync(path, 'r');
  try {
    const length = fstatSync(file).size - HEADER_OCTETS;
    const header = Buffer.alloc(HEADER_OCTETS);
    if (length < 0 || readSync(file, header, 0, HEADER_OCTETS, 0) < HEADER_OCTETS) return undefined;
    if (header.readUInt32LE(0) !== MAGIC) return undefined;
    const image = allocateImage(length);
    const octets = Buffer.from(image);
    let at = 0;
    while (at < length) {
      const read = readSync(file, octets, at, length - at, HEADER_OCTETS + at);
      if (read === 0) return undefined;
      at += read;
    }
    return crc32(octets) === header.readUInt32LE(4) ? image : undefined;
  } finally {
    closeSync(file);
  }
}

/** Replaces an image and waits until it is on disk. Throws when the disk does not take it. */
export function writeImageFile(path: string, image: SharedArrayBuffer): void {
  const octets = Buffer.from(image);
  const header = Buffer.alloc(HEADER_OCTETS);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(crc32(octets), 4);
  replaceFileSync(path, [header, octets], { sync: 'wait' });
}

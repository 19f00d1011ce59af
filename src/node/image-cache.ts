import { createHash } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/**
 * Compiled images on disk, so that a start reads instead of compiling. Content addressed: the name of a file is the
 * hash of everything its image was made from, so nothing in it can be out of date.
 *
 *     file:  magic (4 octets) | CRC-32 of the image (4) | image
 *
 * A file that is missing, torn or damaged only means that the image is compiled again.
 */
const MAGIC = 0x4d44_4331;
const HEADER_OCTETS = 8;

/** Disk for images; those not used for longest go first. Room for a city table and eight maps of 100 MB. */
const MAX_CACHED_OCTETS = 1024 ** 3;

export class ImageCache {
  readonly #directory: string;

  /** Creates the directory; throws when that is not possible. */
  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  /** The image made from exactly these inputs, or undefined. */
  load(inputs: readonly string[]): SharedArrayBuffer | undefined {
    const path = this.#pathOf(inputs);
    try {
      const image = readImage(path);
      const now = new Date();
      if (image !== undefined) utimesSync(path, now, now);
      return image;
    } catch {
      return undefined;
    }
  }

  /** Keeps an image. A full disk or the like is no failure: the image is in memory all the same. */
  keep(inputs: readonly string[], image: SharedArrayBuffer): void {
    const path = this.#pathOf(inputs);
    const half = `${path}.${process.pid}.new`;
    try {
      writeImage(half, image);
      renameSync(half, path);
      this.#sweep();
    } catch {
      rmSync(half, { force: true });
    }
  }

  #pathOf(inputs: readonly string[]): string {
    const hash = createHash('sha256');
    for (const input of inputs) hash.update(`${input.length}:`).update(input);
    return join(this.#directory, `${hash.digest('hex')}.image`);
  }

  #sweep(): void {
    const files = readdirSync(this.#directory).map((name) => {
      const path = join(this.#directory, name);
      const { mtimeMs, size } = statSync(path);
      return { path, mtimeMs, size };
    });
    let octets = 0;
    for (const { path, size } of files.sort((one, other) => other.mtimeMs - one.mtimeMs)) {
      octets += size;
      if (octets > MAX_CACHED_OCTETS) rmSync(path, { force: true });
    }
  }
}

function readImage(path: string): SharedArrayBuffer | undefined {
  const file = openSync(path, 'r');
  try {
    const length = fstatSync(file).size - HEADER_OCTETS;
    const header = Buffer.alloc(HEADER_OCTETS);
    if (length < 0 || readSync(file, header, 0, HEADER_OCTETS, 0) < HEADER_OCTETS) return undefined;
    if (header.readUInt32LE(0) !== MAGIC) return undefined;
    const image = new SharedArrayBuffer(length);
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

function writeImage(path: string, image: SharedArrayBuffer): void {
  const octets = Buffer.from(image);
  const header = Buffer.alloc(HEADER_OCTETS);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(crc32(octets), 4);
  const file = openSync(path, 'w');
  try {
    writeSync(file, header);
    let at = 0;
    while (at < octets.length) at += writeSync(file, octets, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFileSync } from '../../disk/replace-file.ts';
import { IMAGE_SUFFIX, imagePath, readImageFile, writeImageFile } from './image-file.ts';

/**
 * Compiled images on disk, so that a start reads instead of compiling. Content addressed, in `images` of the data
 * directory:
 *
 *     <hash of what it was made from>.made  ->  <hash of the image>
 *     <hash of the image>.image                 see image-file.ts
 *     boot-manifest (beside the directory)  ->  the images that are served
 *
 * Nothing here can be out of date. A file that is missing, torn or damaged only means that the image is compiled
 * again.
 */
const MADE_SUFFIX = '.made';

/** Disk for images; those not used for longest go first. Room for a city table and eight maps of 100 MB. */
const MAX_CACHED_OCTETS = 1024 ** 3;

/**
 * An image that nothing names may be about to be named, by this process or by its successor. Longer than it takes to
 * compile everything else that its manifest names, and than two minutes of takeover.
 */
const UNNAMED_MS = 600_000;

export class ImageCache {
  readonly #directory: string;
  readonly #served: () => ReadonlySet<string>;

  /**
   * Creates the directory; throws when that is not possible. `served` tells the names of images that must stay,
   * whatever room they take.
   */
  constructor(directory: string, served: () => ReadonlySet<string>) {
    this.#directory = directory;
    this.#served = served;
    mkdirSync(directory, { recursive: true });
  }

  /** The image made from exactly these inputs, or undefined. */
  load(inputs: readonly string[]): SharedArrayBuffer | undefined {
    const made = this.#madePath(inputs);
    try {
      const path = imagePath(this.#directory, readFileSync(made, 'latin1'));
      const image = readImageFile(path);
      // Unreadable, it would be taken for the same image when that is kept again.
      if (image === undefined) rmSync(path, { force: true });
      else for (const file of [made, path]) touch(file);
      return image;
    } catch {
      return undefined;
    }
  }

  /** Keeps an image. A full disk or the like is no failure: the image is in memory all the same. */
  keep(inputs: readonly string[], image: SharedArrayBuffer): void {
    try {
      const name = this.keepImage(image);
      replaceFileSync(this.#madePath(inputs), [Buffer.from(name)]);
      this.sweep();
    } catch {
      // As it says above.
    }
  }

  /** Keeps an image and returns its name. Throws when the disk does not take it. */
  keepImage(image: SharedArrayBuffer): string {
    const name = createHash('sha256').update(new Uint8Array(image)).digest('hex');
    const path = imagePath(this.#directory, name);
    if (existsSync(path)) touch(path);
    else writeImageFile(path, image);
    return name;
  }

  /** Makes room: what is named least lately goes first, and what nothing names goes soon. */
  sweep(): void {
    const served = this.#served();
    const files = this.#files();
    const made = new Set(files.flatMap(({ path }) => (path.endsWith(MADE_SUFFIX) ? [readName(path)] : [])));
    const oldestUnnamedMs = Date.now() - UNNAMED_MS;
    let octets = 0;
    for (const { name, path, mtimeMs, size } of files.toSorted((one, other) => other.mtimeMs - one.mtimeMs)) {
      octets += size;
      if (served.has(name)) continue;
      const unnamed = path.endsWith(IMAGE_SUFFIX) && !made.has(name) && mtimeMs < oldestUnnamedMs;
      if (unnamed || octets > MAX_CACHED_OCTETS) rmSync(path, { force: true });
    }
  }

  #files(): readonly CachedFile[] {
    return readdirSync(this.#directory).flatMap((file) => {
      const path = join(this.#directory, file);
      // A successor keeps images here as well, and may have moved or removed this one meanwhile.
      const found = statSync(path, { throwIfNoEntry: false });
      if (found === undefined) return [];
      return { name: file.slice(0, file.indexOf('.')), path, mtimeMs: found.mtimeMs, size: found.size };
    });
  }

  #madePath(inputs: readonly string[]): string {
    const hash = createHash('sha256');
    for (const input of inputs) hash.update(`${input.length}:`).update(input);
    return join(this.#directory, `${hash.digest('hex')}${MADE_SUFFIX}`);
  }
}

interface CachedFile {
  /** Without what comes after the first dot. */
  readonly name: string;
  readonly path: string;
  readonly mtimeMs: number;
  readonly size: number;
}

function readName(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function touch(path: string): void {
  const now = new Date();
  utimesSync(path, now, now);
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { replaceFileSync } from '../../disk/replace-file.ts';
import { packageVersion } from '../../version.ts';

/**
 * What a node serves, as files: read at the next start before anything else.
 *
 *     meridian-boot <format> <version of the program> <CRC-32 of all that follows, hex>
 *     { JSON of BootManifest }
 *
 * It is replaced whole, and only after the images that it names are on disk.
 */
export interface BootManifest {
  /** Names of zone images, see `image-cache.ts`. */
  readonly zones: readonly string[];
  /** Names of map images by map number. */
  readonly maps: readonly (string | null)[];
  /** Names by number, so that a restart counts each data center in the same cell. */
  readonly dataCenters: readonly (string | null)[];
  /** Keys of endpoints by their slot in the verdict table. */
  readonly slots: readonly (string | null)[];
}

/**
 * Counts up when the meaning of the file changes. Images carry the versions of their own layouts, and another version
 * of the program may read more out of them all the same: it makes its own.
 */
const FORMAT = 1;

/** What it names besides is far below this; a larger file is not ours. */
const MAX_MANIFEST_OCTETS = 64 * 1024 ** 2;

/** Undefined when there is none, or one that is damaged or of another format. */
export function readBootManifest(dataDirectory: string): BootManifest | undefined {
  try {
    const file = readFileSync(manifestPath(dataDirectory));
    const lineEnd = file.indexOf(0x0a);
    if (lineEnd < 0 || file.length > MAX_MANIFEST_OCTETS) return undefined;
    const text = file.subarray(lineEnd + 1);
    if (file.toString('latin1', 0, lineEnd) !== firstLine(text)) return undefined;
    return parseManifest(JSON.parse(text.toString('utf8')));
  } catch {
    return undefined;
  }
}

/** Replaces the manifest and waits until it is on disk; throws when the disk does not take it. */
export function writeBootManifest(dataDirectory: string, manifest: BootManifest): void {
  const text = Buffer.from(JSON.stringify(manifest));
  const pieces = [Buffer.from(`${firstLine(text)}\n`), text];
  replaceFileSync(manifestPath(dataDirectory), pieces, { sync: 'wait' });
}

/** The images that a manifest names. */
export function imagesOf({ zones, maps }: BootManifest): ReadonlySet<string> {
  return new Set([...zones, ...maps.filter((name) => name !== null)]);
}

function manifestPath(dataDirectory: string): string {
  return join(dataDirectory, 'boot-manifest');
}

function firstLine(text: Buffer): string {
  return `meridian-boot ${FORMAT} ${packageVersion()} ${crc32(text).toString(16).padStart(8, '0')}`;
}

function parseManifest(value: unknown): BootManifest | undefined {
  const { zones, maps, dataCenters, slots } = value as Readonly<Record<keyof BootManifest, unknown>>;
  const whole =
    isListOf(zones, isImageName) &&
    isListOf(maps, (item) => item === null || isImageName(item)) &&
    isListOf(dataCenters, isNameOrNull) &&
    isListOf(slots, isNameOrNull);
  return whole ? (value as BootManifest) : undefined;
}

function isListOf(value: unknown, holds: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(holds);
}

/** A hash, so that no manifest can name a file elsewhere. */
function isImageName(item: unknown): boolean {
  return typeof item === 'string' && /^[0-9a-f]{64}$/.test(item);
}

function isNameOrNull(item: unknown): boolean {
  return item === null || typeof item === 'string';
}

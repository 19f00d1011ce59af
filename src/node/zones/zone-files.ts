import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DirectoryZone } from '../../config/directory-changes.ts';
import { sameValue } from '../../config/same-value.ts';
import type { ZoneFileContents } from '../../directory/zone-files.ts';
import { replaceFile } from '../../disk/replace-file.ts';
import type { BootedImages } from '../boot/booted-images.ts';
import type { ZoneCompilation, ZoneFileReading } from '../compile/compile-job.ts';
import type { Compiler } from '../compile/compiler.ts';
import { imageShape } from './read-zone-image.ts';
import { zoneOrigin } from './zone-origin.ts';

/** Counts up when the meaning of the file changes. */
const FORMAT = 1;

const READINGS_FILE = 'zone-files.json';

interface ZoneFilesParts {
  readonly compiler: Pick<Compiler, 'run'>;
  readonly booted: BootedImages;
  readonly dataDirectory: string;
  readonly hasBlob: (hash: string) => boolean;
  readonly onFailure: (error: unknown) => void;
}

/**
 * The zone files of the configuration directory, read and compiled on the compile thread.
 *
 *     file --> content hash --- known? --> reading { apex, blob, … } of the time before
 *                  |  no
 *                  +--> parse --> canonical text, its hash, and the zone's image without steered names
 *
 * Readings are kept in the data directory, so that a start whose images are on disk parses nothing.
 */
export class ZoneFiles {
  readonly #parts: ZoneFilesParts;
  /** By path. */
  readonly #readings: Map<string, ZoneFileReading>;
  /** Zones without their steered names, by blob. */
  readonly #compiled = new Map<string, ZoneCompilation>();
  #kept: Readonly<Record<string, ZoneFileReading>>;

  constructor(parts: ZoneFilesParts) {
    this.#parts = parts;
    this.#kept = readReadings(parts.dataDirectory);
    this.#readings = new Map(Object.entries(this.#kept));
  }

  /** As `ZoneFileReader`. The text is there where the store does not have it yet. */
  async read(directory: string, file: string): Promise<ZoneFileContents> {
    const path = join(directory, file);
    const reading = this.#usable(this.#readings.get(path));
    const { compiler } = this.#parts;
    const result = await compiler.run<'zone-file'>({
      kind: 'zone-file',
      file: { directory, file, known: reading?.content },
    });
    if (result.kind === 'refused') {
      return { zone: undefined, apex: result.apex, problems: result.problems };
    }
    if (result.kind === 'read') {
      this.#readings.set(path, result.reading);
      this.#compiled.set(result.reading.blob, result.compiled);
      return this.#contents(file, result.reading, result.text);
    }
    if (reading === undefined) throw new Error(`the zone file ${file} was not read`);
    return this.#contents(file, reading, undefined);
  }

  /** The zone of a blob without steered names, where it was read from a file. */
  compiled(blob: string): ZoneCompilation | undefined {
    return this.#compiled.get(blob);
  }

  /** The blob has turned out to be missing or damaged: its file is read anew next time. */
  forget(blob: string): void {
    for (const [path, reading] of this.#readings) if (reading.blob === blob) this.#readings.delete(path);
  }

  /** Keeps what is known of these blobs, also for the next start, and forgets all else. */
  async settle(blobs: ReadonlySet<string>): Promise<void> {
    for (const blob of this.#compiled.keys()) if (!blobs.has(blob)) this.#compiled.delete(blob);
    for (const [path, { blob }] of this.#readings) if (!blobs.has(blob)) this.#readings.delete(path);
    const readings = Object.fromEntries(this.#readings);
    if (sameValue(readings, this.#kept)) return;
    this.#kept = readings;
    const path = join(this.#parts.dataDirectory, READINGS_FILE);
    try {
      await replaceFile(path, JSON.stringify({ format: FORMAT, readings }));
    } catch (error) {
      this.#parts.onFailure(error);
    }
  }

  /** A reading of which all that follows from it is at hand. */
  #usable(reading: ZoneFileReading | undefined): ZoneFileReading | undefined {
    if (reading?.content === undefined || !this.#parts.hasBlob(reading.blob)) return undefined;
    const { apex, blob } = reading;
    if (!this.#compiled.has(blob)) {
      const image = this.#parts.booted.find(zoneOrigin(apex, blob, []));
      if (image === undefined) return undefined;
      this.#compiled.set(blob, { image, problems: [], room: undefined });
    }
    return reading;
  }

  #contents(
    file: string,
    { apex, blob, rrsetCount, line }: ZoneFileReading,
    text: Uint8Array | undefined,
  ): ZoneFileContents {
    const image = this.#compiled.get(blob)?.image;
    if (image === undefined) throw new Error(`the zone file ${file} was not compiled`);
    const zone: DirectoryZone = { apex, text, blob, rrsetCount, shape: imageShape(image), file, line };
    return { zone, apex, problems: [] };
  }
}

/** Nothing where there is no such file, or none of ours. */
function readReadings(dataDirectory: string): Readonly<Record<string, ZoneFileReading>> {
  try {
    const { format, readings } = JSON.parse(readFileSync(join(dataDirectory, READINGS_FILE), 'utf8'));
    return format === FORMAT ? readings : {};
  } catch {
    return {};
  }
}

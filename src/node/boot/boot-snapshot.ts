import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { SnapshotMessage } from '../../snapshot/snapshot.ts';
import { createSpillTable } from '../../snapshot/spill-table.ts';
import { IMAGE_DIRECTORY, imagePath, readImageFile } from '../compile/image-file.ts';
import type { BootManifest } from './boot-manifest.ts';
import { bootVerdicts } from './boot-verdicts.ts';
import { putSpills, readSpills, SPILL_FILE } from './spill-file.ts';
import { readVerdicts, VERDICT_FILE } from './verdict-file.ts';

/** What the node served when it last ran, ready to be served again. */
export interface BootSnapshot {
  readonly manifest: BootManifest;
  readonly snapshot: SnapshotMessage;
}

/**
 * Reads from a data directory what was served last. Undefined when not all of it is whole: it is then made anew from
 * the configuration. `serverId` and the time are those of this start.
 */
export function readBootSnapshot(
  dataDirectory: string,
  manifest: BootManifest,
  serverId: Uint8Array,
  nowMs: number,
): BootSnapshot | undefined {
  const images = new Map<string, SharedArrayBuffer>();
  for (const name of [...manifest.zones, ...manifest.maps]) {
    if (name === null || images.has(name)) continue;
    const image = readImage(imagePath(join(dataDirectory, IMAGE_DIRECTORY), name));
    if (image === undefined) return undefined;
    images.set(name, image);
  }
  return {
    manifest,
    snapshot: {
      // Before all that the publisher counts.
      generation: 0,
      zones: manifest.zones.flatMap((name) => images.get(name) ?? []),
      maps: manifest.maps.map((name) => (name === null ? undefined : images.get(name))),
      verdicts: bootVerdicts(readVerdicts(join(dataDirectory, VERDICT_FILE)), manifest.slots, nowMs),
      spills: bootSpills(dataDirectory, manifest, nowMs),
      serverId,
    },
  };
}

function bootSpills(
  dataDirectory: string,
  { dataCenters }: BootManifest,
  nowMs: number,
): Uint16Array<SharedArrayBuffer> {
  const table = createSpillTable();
  putSpills(table, readSpills(join(dataDirectory, SPILL_FILE), nowMs), dataCenters);
  return table;
}

function readImage(path: string): SharedArrayBuffer | undefined {
  try {
    const image = readImageFile(path);
    // Or it would be taken for whole when the same image is to be kept again.
    if (image === undefined) rmSync(path, { force: true });
    return image;
  } catch {
    return undefined;
  }
}

import type { ZoneRRsets } from '../../api/control-plane.ts';
import type { Config } from '../../config/model.ts';
import type { Store } from '../../store/store.ts';
import type { Compiler } from '../compile/compiler.ts';
import type { Publisher } from '../compile/publisher.ts';
import { readRRset } from './read-zone-image.ts';
import type { ZoneFiles } from './zone-files.ts';

/** Text of a zone that lives in a blob; undefined for another zone, and where the blob is not here. */
export function blobZoneText(config: Config, store: Store, apex: string): string | undefined {
  const zone = config.zones.get(apex)?.value;
  if (zone?.kind !== 'blob') return undefined;
  const blob = store.getBlob(zone.blob);
  return blob === undefined ? undefined : new TextDecoder().decode(blob);
}

/** The same zone RRset by RRset, out of its image. */
export function blobZoneRRsets(
  config: Config,
  apex: string,
  parts: {
    readonly publisher: Publisher;
    readonly zoneFiles: ZoneFiles;
    readonly compiler: Pick<Compiler, 'run'>;
  },
): ZoneRRsets | undefined {
  const zone = config.zones.get(apex)?.value;
  if (zone?.kind !== 'blob') return undefined;
  const { publisher, zoneFiles, compiler } = parts;
  // What is served lacks the records that a steered name takes the place of.
  const image = zoneFiles.compiled(zone.blob)?.image ?? publisher.imageOf(apex);
  if (image === undefined) return undefined;
  return {
    get: (key) => readRRset(image, key),
    page: (after, limit) =>
      compiler.run<'page'>({
        kind: 'page',
        page: { image, zone: `${apex} ${zone.blob}`, after, limit },
      }),
  };
}

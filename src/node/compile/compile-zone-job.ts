import { createHash } from 'node:crypto';
import type { Problem } from '../../config/problem.ts';
import { lowercaseName, parseName } from '../../dns/name.ts';
import { joinColumns, type RRsetColumns } from '../../dns/rrset-columns.ts';
import { parseZoneColumns } from '../../dns/zone-file.ts';
import { compileColumns, compileEditable } from '../../snapshot/compile-zone.ts';
import { clearOrigin, NO_ORIGIN } from '../../snapshot/image-origin.ts';
import { openZoneImage } from '../../snapshot/zone-image.ts';
import type { ColumnsSource } from '../../snapshot/zone-source.ts';
import { takeParsed } from '../zones/parsed-zones.ts';
import { zoneOrigin } from '../zones/zone-origin.ts';
import { TEXT_NEEDED, type ZoneCompilation, type ZoneJob } from './compile-job.ts';
import { allocateImage } from './image-memory.ts';

/** From a job to an image, on whichever thread. */
export function compileZoneJob(job: ZoneJob): ZoneCompilation | typeof TEXT_NEEDED {
  const source = zoneSourceOf(job);
  if (source === TEXT_NEEDED) return source;
  const problems = [...source.problems];
  if (source.zone === undefined) return { image: undefined, problems, room: undefined };
  if (job.records.kind === 'blob') {
    return compileFileZone(job, source.zone, job.records.blob, problems);
  }
  const compiled =
    job.records.room === 'none'
      ? { ...compileColumns(source.zone, NO_ORIGIN, allocateImage), room: undefined }
      : compileEditable(source.zone, allocateImage);
  return { ...compiled, problems: [...problems, ...compiled.problems] };
}

/**
 * The image of a zone file. Only one that has all of its zone says what it is made from: the problems of others must
 * be told again after a start.
 */
export function compileFileZone(
  { apex, steeredNames }: Pick<ZoneJob, 'apex' | 'steeredNames'>,
  zone: ColumnsSource,
  blob: string,
  problems: readonly Problem[] = [],
): ZoneCompilation {
  const compiled = compileColumns(zone, zoneOrigin(apex, blob, steeredNames), allocateImage);
  const all = [...problems, ...compiled.problems];
  if (all.length > 0) clearOrigin(openZoneImage(compiled.image));
  return { image: compiled.image, problems: all, room: undefined };
}

interface JobSource {
  /** Undefined for an apex that has no wire form, and for a blob that is damaged. */
  readonly zone: ColumnsSource | undefined;
  readonly problems: readonly Problem[];
}

/** A job's records, parsed where they are still text. */
export function zoneSourceOf({ apex, records, steeredNames }: ZoneJob): JobSource | typeof TEXT_NEEDED {
  const wire = parseName(apex);
  if (!wire.ok) {
    const problems = wire.problems.map((problem) => ({ ...problem, path: `zones/${apex}` }));
    return { zone: undefined, problems };
  }
  const parsed =
    records.kind === 'columns'
      ? { columns: joinColumns(records.parts), problems: [] }
      : blobColumns(apex, records.blob, records.text);
  if (parsed === TEXT_NEEDED) return parsed;
  const { columns, problems } = parsed;
  if (columns === undefined) return { zone: undefined, problems };
  return { zone: { apex: lowercaseName(wire.value), columns, steeredNames }, problems };
}

interface ParsedBlob {
  /** Undefined where there are none to be had: what was served before goes on. */
  readonly columns: RRsetColumns | undefined;
  readonly problems: readonly Problem[];
}

function blobColumns(
  apex: string,
  blob: string,
  text: Uint8Array | undefined,
): ParsedBlob | typeof TEXT_NEEDED {
  const known = takeParsed(blob);
  if (known !== undefined) return { columns: known, problems: [] };
  if (text === undefined) return TEXT_NEEDED;
  if (createHash('sha256').update(text).digest('hex') !== blob) {
    const message = `The records of the zone ${apex} are damaged on this node (blob ${blob}); reload its zone file.`;
    return {
      columns: undefined,
      problems: [{ code: 'damaged-blob', path: `zones/${apex}`, message }],
    };
  }
  return parseZoneColumns({
    file: apex,
    text: new TextDecoder().decode(text),
    origin: undefined,
    // Blobs are canonical text: their includes were put in place when they were made.
    include: (file) => ({
      code: 'include-in-blob',
      path: `zones/${apex}`,
      message: `The stored text of the zone includes "${file}"; reload its zone file.`,
    }),
  });
}

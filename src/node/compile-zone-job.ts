import { compileZone } from '../snapshot/compile-zone.ts';
import type { CompileResults, ZoneJob } from './compile-job.ts';
import { zoneSourceOf } from './zone-sources.ts';

/** From a job to an image, on whichever thread; no image for an apex that has no wire form. */
export function compileZoneJob(job: ZoneJob): CompileResults['zone'] {
  const { source, problems } = zoneSourceOf(job);
  if (source === undefined) return { image: undefined, problems };
  const compiled = compileZone(source);
  return { image: compiled.image, problems: [...problems, ...compiled.problems] };
}

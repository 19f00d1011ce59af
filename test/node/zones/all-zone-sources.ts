import type { Config } from '../../../src/config/model.ts';
import type { Problem } from '../../../src/config/problem.ts';
import { rrsetCount, rrsetValue } from '../../../src/dns/rrset-columns.ts';
import { TEXT_NEEDED, type ZoneJob } from '../../../src/node/compile/compile-job.ts';
import { zoneSourceOf } from '../../../src/node/compile/compile-zone-job.ts';
import { type ZoneContext, zoneJobs } from '../../../src/node/zones/zone-sources.ts';
import type { ZoneSource } from '../../../src/snapshot/zone-source.ts';

/** As `zoneJobs`, with every zone's records parsed: both steps that a zone takes before it is compiled. */
export function zoneSources(
  config: Config,
  context: ZoneContext,
  apexes?: Iterable<string>,
  blobText?: (blob: string) => string,
): { readonly sources: readonly ZoneSource[]; readonly problems: readonly Problem[] } {
  const { jobs, problems } = zoneJobs(config, context, apexes);
  const parsed = jobs.map((job) => sourceOf(withText(job, blobText)));
  return {
    sources: parsed.flatMap(({ source }) => (source === undefined ? [] : [source])),
    problems: [...problems, ...parsed.flatMap((zone) => zone.problems)],
  };
}

function withText(job: ZoneJob, blobText: ((blob: string) => string) | undefined): ZoneJob {
  const { records } = job;
  if (records.kind !== 'blob' || blobText === undefined) return job;
  const text = new TextEncoder().encode(blobText(records.blob));
  return { ...job, records: { ...records, text } };
}

function sourceOf(job: ZoneJob): {
  readonly source: ZoneSource | undefined;
  readonly problems: readonly Problem[];
} {
  const parsed = zoneSourceOf(job);
  if (parsed === TEXT_NEEDED) throw new Error('the text of a blob is needed');
  const { zone, problems } = parsed;
  if (zone === undefined) return { source: undefined, problems };
  const rrsets = Array.from({ length: rrsetCount(zone.columns) }, (_, i) => rrsetValue(zone.columns, i));
  return { source: { apex: zone.apex, rrsets, steeredNames: zone.steeredNames }, problems };
}

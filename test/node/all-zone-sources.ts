import type { Config } from '../../src/config/model.ts';
import type { Problem } from '../../src/config/problem.ts';
import { type ZoneContext, zoneJobs, zoneSourceOf } from '../../src/node/zone-sources.ts';
import type { ZoneSource } from '../../src/snapshot/zone-source.ts';

/** As `zoneJobs`, with every zone's records parsed: both steps that a zone takes before it is compiled. */
export function zoneSources(
  config: Config,
  context: ZoneContext,
  apexes?: Iterable<string>,
): { readonly sources: readonly ZoneSource[]; readonly problems: readonly Problem[] } {
  const { jobs, problems } = zoneJobs(config, context, apexes);
  const parsed = jobs.map(zoneSourceOf);
  return {
    sources: parsed.flatMap(({ source }) => (source === undefined ? [] : [source])),
    problems: [...problems, ...parsed.flatMap((zone) => zone.problems)],
  };
}

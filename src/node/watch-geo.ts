import { type ScheduledTask, schedule } from 'node-cron';
import { createGeoLook } from '../geofiles/watch-geo-files.ts';
import type { Logger } from '../observe/log.ts';
import type { Compiler } from './compile/compiler.ts';
import type { NodeControlPlane } from './control/control-plane.ts';

/** Geo files change weekly at most; a look every ten seconds costs a `stat` each. */
const GEO_LOOK_SCHEDULE = '*/10 * * * * *';

/**
 * Looks at the operator's own geo files on a calendar and goes over to new ones; the shipped table never changes.
 * `used` is their signature from before the table in use was read.
 */
export function watchGeo(
  files: readonly string[],
  used: string,
  compiler: Compiler,
  plane: NodeControlPlane,
  log: Logger,
): ScheduledTask | undefined {
  if (files.length === 0) return undefined;
  const look = createGeoLook(
    files,
    (table) => {
      log.info({ files }, 'new geo table');
      plane
        .useGeoTable(table)
        .catch((error) => log.error({ err: error }, 'the new geo table could not be published'));
    },
    (problems) => {
      log.warn({ problems }, 'the geo files cannot be used; the table in use stays');
      plane.reportGeoProblems(problems);
    },
    { used, load: () => compiler.run<'geo-table'>({ kind: 'geo-table', paths: files }) },
  );
  void look();
  return schedule(GEO_LOOK_SCHEDULE, look, { noOverlap: true });
}

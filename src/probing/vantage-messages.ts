import type { Observation } from '../health/observation.ts';
import type { ProbeEnvironment } from './probes/index.ts';
import type { VantageLoad } from './vantage.ts';
import type { VantageTarget } from './vantage-targets.ts';

/**
 * What the main thread and the vantage's own say to each other.
 *
 *     main thread                         vantage thread
 *       targets, revision 7  ---------->
 *                            <----------  observations, of revision 6    (were on their way)
 *                            <----------  observations, of revision 7
 */
export type VantageRequest =
  | {
      readonly kind: 'targets';
      /** Counts up with every change of targets. */
      readonly revision: number;
      readonly targets: readonly VantageTarget[];
      /** What the thread before this one said last; empty but for the first targets. */
      readonly known: readonly Observation[];
    }
  | { readonly kind: 'stop' };

export interface VantageReport {
  /** Of the targets that were probed. */
  readonly revision: number;
  readonly observations: readonly Observation[];
  readonly load: VantageLoad;
}

/** What the thread is started with. */
export interface VantageStart {
  /** Node id of who probes. */
  readonly name: string;
  readonly environment: ProbeEnvironment;
}

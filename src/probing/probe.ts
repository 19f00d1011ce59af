import type { ProbeKindContract } from '../config/resources/monitor.ts';
import type { ProbeResult } from '../health/probe-result.ts';

/** Where one run goes. */
export interface ProbeTarget {
  /** IPv4 or IPv6 address. */
  readonly address: string;
  readonly port: number | undefined;
  readonly timeoutMs: number;
}

/**
 * The seam of probing: one file per kind in `probes/` and one line in its index.
 * A probe reports one fact with its evidence; it never throws, keeps no history and ends within its timeout
 * (`runProbe` sees to it, and says when it is longer).
 */
export interface ProbeKind<S> extends ProbeKindContract {
  /** One sentence for documentation. */
  readonly summary: string;
  readonly run: (target: ProbeTarget, settings: S, stopped: AbortSignal) => Promise<ProbeResult>;
  /**
   * The TCP port on which an idle connection is to be held open beside the probes, see `watch.ts`; undefined for none.
   * `port` is the monitor's.
   */
  readonly watchedPort?: (port: number | undefined, settings: S) => number | undefined;
}

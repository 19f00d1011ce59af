import type { Config } from '../config/model.ts';
import { type Monitor, vantagesOf } from '../config/resources/monitor.ts';
import { type ProbedSource, probedSources } from '../health/checked-endpoints.ts';
import { createSeatChoice } from '../health/chosen-seats.ts';
import type { VantageSeat } from '../health/consensus.ts';
import { type Thresholds, thresholdsOf } from '../health/damp.ts';

/** One endpoint to probe, and how. */
export interface VantageTarget {
  /** `pool/endpoint`, or a part of its check, see `ProbedSource`; observations come back under it. */
  readonly key: string;
  /** Probe kind. */
  readonly kind: string;
  /** IPv4 or IPv6 address. */
  readonly address: string;
  /** Undefined for the probe kind's own default. */
  readonly port: number | undefined;
  /** As the kind's schema returned them. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly intervalMs: number;
  /** Interval while the verdict is in doubt; never longer than `intervalMs`. */
  readonly recheckMs: number;
  readonly timeoutMs: number;
  /** Share of the interval, 0 to 0.5. */
  readonly jitter: number;
  readonly thresholds: Thresholds;
}

/** Share of the interval after which a doubtful verdict is looked at again, where the monitor does not say. */
const DEFAULT_RECHECK_SHARE = 1 / 4;

/** Re-probes at default settings are no more frequent than this: below it a blip would pass for an outage. */
const MIN_DEFAULT_RECHECK_MS = 250;

/** Whose share of the probing it is, and among whom it is shared. */
export interface ProbingShare {
  readonly vantage: string;
  readonly seats: readonly VantageSeat[];
}

/** What the vantage has to probe under a configuration: the sources for which it was chosen. */
export function vantageTargets(config: Config, share: ProbingShare): readonly VantageTarget[] {
  const choice = createSeatChoice(share.seats);
  const isOurs = ({ key, monitor }: ProbedSource): boolean =>
    choice(key, vantagesOf(monitor)).some(({ name }) => name === share.vantage);
  /** One object for all endpoints of a monitor: thousands of them are sent to another thread. */
  const thresholds = new Map<Monitor, Thresholds>();
  const sources = probedSources(config).filter(isOurs);
  return sources.map(({ key, monitor, address }) => {
    const limits = thresholds.get(monitor) ?? thresholdsOf(monitor);
    thresholds.set(monitor, limits);
    return {
      key,
      kind: monitor.kind,
      address,
      port: monitor.port,
      settings: monitor.settings,
      intervalMs: monitor.intervalSeconds * 1000,
      recheckMs: recheckMs(monitor),
      timeoutMs: monitor.timeoutSeconds * 1000,
      jitter: monitor.jitter,
      thresholds: limits,
    };
  });
}

function recheckMs({ intervalSeconds, recheckSeconds }: Monitor): number {
  const intervalMs = intervalSeconds * 1000;
  const wantedMs =
    recheckSeconds === undefined
      ? Math.max(MIN_DEFAULT_RECHECK_MS, intervalMs * DEFAULT_RECHECK_SHARE)
      : recheckSeconds * 1000;
  return Math.min(intervalMs, wantedMs);
}

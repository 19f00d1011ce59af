import type { Config } from '../config/model.ts';
import { checkedEndpoints } from '../health/checked-endpoints.ts';

/** One endpoint to probe, and how. */
export interface VantageTarget {
  /** `pool/endpoint`; results come back under it. */
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
  readonly timeoutMs: number;
  /** Share of the interval, 0 to 0.5. */
  readonly jitter: number;
}

/** What the vantage has to probe under a configuration: every endpoint that has a monitor and an address. */
export function vantageTargets(config: Config): readonly VantageTarget[] {
  return checkedEndpoints(config).flatMap(({ key, check }) => {
    if (check === undefined) return [];
    const { monitor, address } = check;
    return [
      {
        key,
        kind: monitor.kind,
        address,
        port: monitor.port,
        settings: monitor.settings,
        intervalMs: monitor.intervalSeconds * 1000,
        timeoutMs: monitor.timeoutSeconds * 1000,
        jitter: monitor.jitter,
      },
    ];
  });
}

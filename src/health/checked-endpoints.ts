import type { Config } from '../config/model.ts';
import type { Monitor } from '../config/resources/monitor.ts';
import { type Endpoint, endpointKey } from '../config/resources/pool.ts';

/** An endpoint with what checks it. */
export interface CheckedEndpoint {
  /** `pool/endpoint`. */
  readonly key: string;
  readonly pool: string;
  readonly endpoint: Endpoint;
  /** Undefined when nothing checks the endpoint: no monitor, or nowhere to send a probe. */
  readonly check: { readonly monitor: Monitor; readonly address: string } | undefined;
}

/** Every endpoint of every pool, with the monitor and address that its probes use. */
export function checkedEndpoints(config: Config): readonly CheckedEndpoint[] {
  const checked: CheckedEndpoint[] = [];
  for (const [poolName, { value: pool }] of config.pools) {
    for (const endpoint of pool.endpoints) {
      const monitorName = endpoint.monitor ?? pool.monitor;
      const monitor = monitorName === undefined ? undefined : config.monitors.get(monitorName)?.value;
      // A canonical name alone cannot be probed: its address is another server's answer, not configuration.
      const address = endpoint.probeAddress ?? endpoint.address;
      const check = monitor === undefined || address === undefined ? undefined : { monitor, address };
      checked.push({ key: endpointKey(poolName, endpoint.name), pool: poolName, endpoint, check });
    }
  }
  return checked;
}

import { resolveRule } from '../config/health-rule.ts';
import type { Config } from '../config/model.ts';
import { endpointKey } from '../config/resources/pool.ts';
import { type PushSettings, pushSettingsOf } from '../config/resources/push-monitor.ts';

/** What a report of an endpoint counts for. */
export interface PushSource {
  /** `pool/endpoint`, or `pool/endpoint@monitor` where the monitor is a part of a composed check. */
  readonly key: string;
  readonly settings: PushSettings;
}

/** All that reports of an endpoint count for; empty where no monitor waits for them, undefined without the endpoint. */
export function pushSources(
  config: Pick<Config, 'pools' | 'monitors'>,
  poolName: string,
  endpointName: string,
): readonly PushSource[] | undefined {
  const pool = config.pools.get(poolName)?.value;
  const endpoint = pool?.endpoints.find(({ name }) => name === endpointName);
  if (pool === undefined || endpoint === undefined) return undefined;
  const monitorName = endpoint.monitor ?? pool.monitor;
  const monitor = monitorName === undefined ? undefined : config.monitors.get(monitorName)?.value;
  if (monitor === undefined) return [];
  const own = endpointKey(poolName, endpointName);
  return resolveRule(config, poolName, endpoint, monitor)
    .sources.filter((source) => source.monitor.kind === 'push')
    .filter(({ key }) => key === own || key.startsWith(`${own}@`))
    .map((source) => ({ key: source.key, settings: pushSettingsOf(source.monitor.settings) }));
}

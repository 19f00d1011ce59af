import { type HealthRule, isProbing, type ResolvedRule, resolveRule } from '../config/health-rule.ts';
import type { Config } from '../config/model.ts';
import type { Monitor } from '../config/resources/monitor.ts';
import { type Endpoint, endpointKey, type Pool } from '../config/resources/pool.ts';

/** An endpoint with what checks it. */
export interface CheckedEndpoint {
  /** `pool/endpoint`. */
  readonly key: string;
  readonly pool: Pool;
  readonly endpoint: Endpoint;
  /** Undefined when nothing checks the endpoint: no monitor, or nowhere to send a probe. */
  readonly check: EndpointCheck | undefined;
}

interface EndpointCheck extends Pick<ResolvedRule, 'rule' | 'sources'> {
  readonly monitor: Monitor;
}

/** Every endpoint of every pool, with its monitor and what that comes to. */
export function checkedEndpoints(config: Config): readonly CheckedEndpoint[] {
  const checked: CheckedEndpoint[] = [];
  for (const [name, { value: pool }] of config.pools) {
    for (const endpoint of pool.endpoints) {
      checked.push({
        key: endpointKey(name, endpoint.name),
        pool,
        endpoint,
        check: checkOf(config, pool, endpoint),
      });
    }
  }
  return checked;
}

function checkOf(config: Config, pool: Pool, endpoint: Endpoint): EndpointCheck | undefined {
  const name = endpoint.monitor ?? pool.monitor;
  const monitor = name === undefined ? undefined : config.monitors.get(name)?.value;
  if (monitor === undefined) return undefined;
  const { rule, sources } = resolveRule(config, pool.name, endpoint, monitor);
  return isAlwaysUp(rule) ? undefined : { monitor, rule, sources };
}

function isAlwaysUp(rule: HealthRule): boolean {
  return rule.kind === 'constant' && rule.verdict === 'up';
}

/** Something to probe: an endpoint by its own monitor, or by one that a composed check names. */
export interface ProbedSource {
  /** `pool/endpoint`, or `pool/endpoint@monitor` for a part of a composed check. */
  readonly key: string;
  readonly monitor: Monitor;
  readonly address: string;
}

/** All that is to be probed under a configuration, each once however many checks read it. */
export function probedSources(config: Config): readonly ProbedSource[] {
  const byKey = new Map<string, ProbedSource>();
  for (const { check } of checkedEndpoints(config))
    for (const source of check?.sources ?? [])
      if (isProbing(source.monitor) && !byKey.has(source.key)) byKey.set(source.key, source);
  return [...byKey.values()];
}

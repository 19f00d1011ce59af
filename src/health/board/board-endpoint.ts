import type { HealthRule, RuleSource } from '../../config/health-rule.ts';
import type { Config } from '../../config/model.ts';
import { vantagesOf } from '../../config/resources/monitor.ts';
import type { GuardRails, UnknownRule } from '../../config/resources/pool.ts';
import { pushSettingsOf } from '../../config/resources/push-monitor.ts';
import { DEFAULT_VANTAGES, MAJORITY } from '../../config/resources/quorum.ts';
import { checkedEndpoints } from '../checked-endpoints.ts';
import { type Thresholds, thresholdsOf } from '../damp.ts';
import type { CheckSource } from './tally.ts';
import { DEFAULT_UNKNOWN_RULE } from './unknown.ts';

/** An endpoint as the board needs it; `boardEndpoints` makes them from the configuration. */
export interface BoardEndpoint {
  /** `pool/endpoint`. */
  readonly key: string;
  /** Index in the verdict table. */
  readonly slot: number;
  readonly pool: string;
  readonly endpoint: string;
  readonly dataCenter: string;
  /** The address or canonical name that is answered. */
  readonly address: string;
  /** Where probes go, when not to `address`. */
  readonly probeAddress: string | undefined;
  /** Name of the monitor. */
  readonly monitor: string | undefined;
  /** Undefined when nothing checks the endpoint: it then counts as up. */
  readonly check: BoardCheck | undefined;
  readonly poolRules: PoolRules;
}

/** How an endpoint's verdict comes out of what is observed. */
export interface BoardCheck {
  readonly rule: HealthRule;
  /** All that the rule reads; two endpoints may read the same. */
  readonly sources: readonly CheckSource[];
}

/** What a pool says of all its endpoints. */
export interface PoolRules {
  readonly unknown: UnknownRule;
  readonly guardRails: GuardRails | undefined;
}

/** What is meant where a pool says nothing. */
export const DEFAULT_POOL_RULES: PoolRules = { unknown: DEFAULT_UNKNOWN_RULE, guardRails: undefined };

/** The check of an endpoint that is probed by one monitor, under the majority of the vantages. */
export function probedCheck(key: string, target: string, thresholds: Thresholds): BoardCheck {
  const counting = { kind: 'probed', thresholds, quorum: MAJORITY, vantages: DEFAULT_VANTAGES } as const;
  return { rule: { kind: 'source', key }, sources: [{ key, monitor: '', target, counting }] };
}

/** The board's endpoints of a configuration; `slotOf` gives an endpoint's index in the verdict table by its key. */
export function boardEndpoints(config: Config, slotOf: (key: string) => number): readonly BoardEndpoint[] {
  return checkedEndpoints(config).map(({ key, pool, endpoint, check }) => ({
    key,
    slot: slotOf(key),
    pool: pool.name,
    endpoint: endpoint.name,
    dataCenter: endpoint.dataCenter,
    address: endpoint.address ?? endpoint.canonicalName ?? '',
    probeAddress: endpoint.probeAddress,
    monitor: check?.monitor.name,
    check: check === undefined ? undefined : { rule: check.rule, sources: check.sources.map(checkSource) },
    poolRules: { unknown: pool.unknown ?? DEFAULT_UNKNOWN_RULE, guardRails: pool.guardRails },
  }));
}

function checkSource({ key, monitor, address }: RuleSource): CheckSource {
  return {
    key,
    monitor: monitor.name,
    target: `${monitor.kind === 'push' ? 'push' : address}`,
    counting: countingOf(monitor),
  };
}

function countingOf(monitor: RuleSource['monitor']): CheckSource['counting'] {
  if (monitor.kind === 'push')
    return { kind: 'pushed', leaseMs: pushSettingsOf(monitor.settings).leaseSeconds * 1000 };
  return {
    kind: 'probed',
    thresholds: thresholdsOf(monitor),
    quorum: monitor.quorum ?? MAJORITY,
    vantages: vantagesOf(monitor),
  };
}

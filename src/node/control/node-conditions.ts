import type { NodeStatus } from '../../api/control-plane.ts';
import type { EndpointHealth } from '../../health/endpoint-health.ts';

/** Pools that a condition names. */
const MAX_POOLS_NAMED = 5;

type Conditions = NodeStatus['conditions'];

/** What must hold for a node to serve, whatever is known of endpoints: as cheap with many of them as with none. */
export function servingConditions(state: {
  /** Addresses where DNS is served. */
  readonly listening: readonly string[];
  /** Why the last commit failed; undefined where it did not. */
  readonly storeFailure: string | undefined;
}): Conditions {
  const { listening, storeFailure } = state;
  return [
    {
      name: 'dns',
      holds: listening.length > 0,
      detail: listening.length > 0 ? `serves DNS on ${listening.join(', ')}` : 'does not serve DNS yet',
    },
    {
      name: 'store',
      holds: storeFailure === undefined,
      detail: storeFailure ?? 'the last write is on disk',
    },
  ];
}

/** The condition that a node that is ready meets beside those for serving. */
export function verdictCondition(health: readonly EndpointHealth[]): Conditions[number] {
  const unprobed = health.filter((endpoint) => endpoint.verdict === 'unknown');
  return {
    name: 'verdicts',
    holds: unprobed.length === 0,
    detail: unprobed.length === 0 ? 'every endpoint has a verdict' : unprobedText(unprobed),
  };
}

function unprobedText(unprobed: readonly EndpointHealth[]): string {
  const pools = [...new Set(unprobed.map(({ pool }) => pool))];
  const more = pools.length > MAX_POOLS_NAMED ? ` and ${pools.length - MAX_POOLS_NAMED} more` : '';
  const named = pools.slice(0, MAX_POOLS_NAMED).join(', ');
  return `${unprobed.length} endpoints have no verdict yet, in the pools ${named}${more}`;
}

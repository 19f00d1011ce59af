import { closestZone } from '../../config/closest-zone.ts';
import type { Config, Stored } from '../../config/model.ts';
import type { Problem } from '../../config/problem.ts';
import { type Endpoint, endpointKey, type Pool } from '../../config/resources/pool.ts';
import type { SteeredName } from '../../config/resources/steered-name.ts';
import { MAX_PLAIN_RRSETS, type RRsets } from '../../config/rrset-map.ts';
import { normalise, parseAddress } from '../../dns/address.ts';
import { lowercaseName, parseName } from '../../dns/name.ts';
import type { EndpointSource, SteeredSource } from '../../snapshot/zone-source.ts';
import type { ZoneJob } from '../compile/compile-job.ts';
import { withSource, zoneColumns } from './zone-records.ts';

/** Numbers and texts that the configuration does not hold. */
export interface ZoneContext {
  /** Verdict slot of `pool/endpoint`; negative or undefined when there is none. */
  readonly slotOf: (endpointKey: string) => number | undefined;
  readonly dataCenterIndex: (name: string) => number | undefined;
  /** Number of the map for a policy over these data centers, which are sorted and distinct. */
  readonly mapFor: (policy: string, dataCenters: readonly string[]) => number | undefined;
  /** Whether this node has a blob. */
  readonly hasBlob: (hash: string) => boolean;
  /** Serial of the SOA that is made for a zone without one of its own (RFC 1982 arithmetic), 0 to 2^32 - 1. */
  readonly serialOf: (apex: string) => number;
}

/**
 * Prepares the given zones, or all of them. Never throws: two good writes may have merged into a bad configuration,
 * so what refers to nothing is left out with a problem. A zone whose blob is missing is left out as a whole.
 */
export function zoneJobs(
  config: Config,
  context: ZoneContext,
  apexes: Iterable<string> = config.zones.keys(),
): { readonly jobs: readonly ZoneJob[]; readonly problems: readonly Problem[] } {
  const steeredByZone = groupSteeredNames(config);
  const pools: PoolSources = new Map();
  const jobs: ZoneJob[] = [];
  const problems: Problem[] = [];
  for (const apex of apexes) {
    const findings: Problem[] = [];
    const records = recordsOf(config, apex, context, findings);
    if (records !== undefined) {
      const steered = steeredByZone.get(apex) ?? [];
      const steeredNames = steered.flatMap((stored) =>
        steeredSource(config, stored, context, pools, findings),
      );
      jobs.push({ apex, records, steeredNames });
    }
    problems.push(...findings);
  }
  return { jobs, problems };
}

/** Steered names by the apex of the zone that answers for each; those in no zone are left out. */
export function groupSteeredNames(config: Config): ReadonlyMap<string, readonly Stored<SteeredName>[]> {
  const groups = new Map<string, Stored<SteeredName>[]>();
  for (const [name, stored] of config.steeredNames) {
    const apex = closestZone(name, (candidate) => config.zones.has(candidate));
    if (apex === undefined) continue;
    const group = groups.get(apex);
    if (group === undefined) groups.set(apex, [stored]);
    else group.push(stored);
  }
  return groups;
}

/** The distinct data centers of a pool that exist, sorted: what its map ranks. */
export function poolDataCenters(config: Config, pool: Pool): readonly string[] {
  const names = new Set(pool.endpoints.map(({ dataCenter }) => dataCenter));
  return [...names].filter((name) => config.dataCenters.has(name)).sort();
}

function recordsOf(
  config: Config,
  apex: string,
  context: ZoneContext,
  problems: Problem[],
): ZoneJob['records'] | undefined {
  const zone = config.zones.get(apex);
  if (zone === undefined) return undefined;
  if (zone.value.kind === 'blob') {
    const { blob } = zone.value;
    if (context.hasBlob(blob)) return { kind: 'blob', blob, text: undefined };
    problems.push(withSource(zone, missingBlob(apex, blob)));
    return undefined;
  }
  const rrsets = config.rrsets.get(apex) ?? NO_RRSETS;
  const edited = { apex, zone: zone.value, rrsets, serial: context.serialOf(apex) };
  const room = rrsets.size > MAX_PLAIN_RRSETS ? 'for-edits' : 'none';
  return { kind: 'columns', parts: zoneColumns(edited, problems), room };
}

const NO_RRSETS: RRsets = new Map();

export function missingBlob(apex: string, blob: string): Problem {
  const message = `The records of the zone ${apex} are missing on this node (blob ${blob}); a peer that has them sends them, or reload its zone file.`;
  return { code: 'missing-blob', path: `zones/${apex}`, message };
}

/** The steered name with all of its pool, or nothing with a problem. */
function steeredSource(
  config: Config,
  stored: Stored<SteeredName>,
  context: ZoneContext,
  pools: PoolSources,
  problems: Problem[],
): readonly SteeredSource[] {
  const { value } = stored;
  const path = `steeredNames/${value.name}`;
  const leaveOut = (code: string, why: string): readonly SteeredSource[] => {
    problems.push(withSource(stored, { code, path, message: `The steered name is left out: ${why}.` }));
    return [];
  };
  const owner = parseName(value.name);
  if (!owner.ok) return leaveOut('bad-name', 'its name has no wire form');
  const pool = config.pools.get(value.pool);
  if (pool === undefined) return leaveOut('unknown-pool', `its pool "${value.pool}" does not exist`);
  const { dataCenters, endpoints } = poolSource(config, pool, context, pools, problems);
  const map = context.mapFor(value.policy, dataCenters);
  if (map === undefined)
    return leaveOut('unknown-policy', `its policy "${value.policy}" does not exist or cannot be used`);
  return [
    {
      owner: lowercaseName(owner.value),
      ttlSeconds: value.ttlSeconds,
      answers: value.answers,
      allDown: value.allDown,
      map,
      endpoints,
      fallback: (value.fallback ?? []).flatMap((text) => addressOctets(text)),
    },
  ];
}

interface PoolSource {
  readonly dataCenters: readonly string[];
  readonly endpoints: readonly EndpointSource[];
}

/** One pool may serve many names: it is prepared once, its problems are told once, and jobs carry it once. */
type PoolSources = Map<string, PoolSource>;

function poolSource(
  config: Config,
  pool: Stored<Pool>,
  context: ZoneContext,
  pools: PoolSources,
  problems: Problem[],
): PoolSource {
  let source = pools.get(pool.value.name);
  if (source === undefined) {
    const endpoints = pool.value.endpoints.flatMap((endpoint) =>
      endpointSource(pool, endpoint, context, problems),
    );
    source = { dataCenters: poolDataCenters(config, pool.value), endpoints };
    pools.set(pool.value.name, source);
  }
  return source;
}

function endpointSource(
  pool: Stored<Pool>,
  endpoint: Endpoint,
  context: ZoneContext,
  problems: Problem[],
): readonly EndpointSource[] {
  const key = endpointKey(pool.value.name, endpoint.name);
  const leaveOut = (code: string, why: string): readonly EndpointSource[] => {
    const path = `pools/${pool.value.name}/endpoints/${endpoint.name}`;
    problems.push(withSource(pool, { code, path, message: `The endpoint is left out: ${why}.` }));
    return [];
  };
  const dataCenter = context.dataCenterIndex(endpoint.dataCenter);
  if (dataCenter === undefined || dataCenter < 0) {
    return leaveOut('unknown-data-center', `its data center "${endpoint.dataCenter}" does not exist`);
  }
  const slot = context.slotOf(key);
  if (slot === undefined || slot < 0)
    return leaveOut('no-slot', 'there are more endpoints than this node can follow');
  const answer = endpointAnswer(endpoint);
  if (answer === undefined)
    return leaveOut('bad-address', 'it has no address or canonical name that can be answered');
  return [{ slot, dataCenter, weight: endpoint.weight, ...answer }];
}

function endpointAnswer(endpoint: Endpoint): Pick<EndpointSource, 'type' | 'rdata'> | undefined {
  if (endpoint.address !== undefined) {
    const [octets] = addressOctets(endpoint.address);
    return octets === undefined ? undefined : { type: octets.length === 4 ? 1 : 28, rdata: octets };
  }
  const name = parseName(endpoint.canonicalName ?? '');
  return name.ok ? { type: 5, rdata: name.value } : undefined;
}

function addressOctets(text: string): readonly Uint8Array[] {
  const address = parseAddress(text);
  return address === undefined ? [] : [normalise(address).octets];
}

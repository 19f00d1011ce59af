import { closestZone } from '../config/closest-zone.ts';
import type { Config, Stored } from '../config/model.ts';
import { sourceOf } from '../config/owners.ts';
import type { Problem } from '../config/problem.ts';
import { rrsetPath } from '../config/resource-path.ts';
import { type Endpoint, endpointKey, type Pool } from '../config/resources/pool.ts';
import type { RRset } from '../config/resources/rrset.ts';
import type { SteeredName } from '../config/resources/steered-name.ts';
import type { ApiZone } from '../config/resources/zone.ts';
import { normalise, parseAddress } from '../dns/address.ts';
import { lowercaseName, parseName } from '../dns/name.ts';
import { parseRdata } from '../dns/rdata/index.ts';
import { parseType, TYPE_NS, TYPE_SOA } from '../dns/type.ts';
import { parseZoneFile } from '../dns/zone-file.ts';
import type { EndpointSource, RRsetSource, SteeredSource, ZoneSource } from '../snapshot/zone-source.ts';
import type { ZoneJob } from './compile-job.ts';

/** Numbers and texts that the configuration does not hold. */
export interface ZoneContext {
  /** Verdict slot of `pool/endpoint`; negative or undefined when there is none. */
  readonly slotOf: (endpointKey: string) => number | undefined;
  readonly dataCenterIndex: (name: string) => number | undefined;
  /** Number of the map for a policy over these data centers, which are sorted and distinct. */
  readonly mapFor: (policy: string, dataCenters: readonly string[]) => number | undefined;
  /** Text of a zone's blob; undefined when this node has none of that hash. */
  readonly blobText: (hash: string) => string | undefined;
  /** Serial of the SOA that is made for a zone without one of its own (RFC 1982 arithmetic), 0 to 2^32 - 1. */
  readonly serialOf: (apex: string) => number;
}

/** SOA fields for secondaries (RFC 1912 section 2.2): look every two hours, again after 15 minutes, give up after two weeks. */
const SOA_REFRESH_SECONDS = 7200;
const SOA_RETRY_SECONDS = 900;
const SOA_EXPIRE_SECONDS = 1_209_600;

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

/** Parses a job's records where they are still text; the compile thread does this, for it may take seconds. */
export function zoneSourceOf(job: ZoneJob): {
  readonly source: ZoneSource | undefined;
  readonly problems: readonly Problem[];
} {
  const apex = parseName(job.apex);
  if (!apex.ok) {
    const problems = apex.problems.map((problem) => ({ ...problem, path: `zones/${job.apex}` }));
    return { source: undefined, problems };
  }
  const { rrsets, problems } = parsedRecords(job);
  return { source: { apex: lowercaseName(apex.value), rrsets, steeredNames: job.steeredNames }, problems };
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

function parsedRecords({ apex, records }: ZoneJob): {
  readonly rrsets: readonly RRsetSource[];
  readonly problems: readonly Problem[];
} {
  if (records.kind === 'rrsets') return { rrsets: records.rrsets, problems: [] };
  return parseZoneFile({
    file: apex,
    text: records.text,
    origin: undefined,
    // Blobs are canonical text: their includes were put in place when they were made.
    include: (file) => ({
      code: 'include-in-blob',
      path: `zones/${apex}`,
      message: `The stored text of the zone includes "${file}"; reload its zone file.`,
    }),
  });
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
    const text = context.blobText(zone.value.blob);
    if (text !== undefined) return { kind: 'text', text };
    const message = `The records of the zone ${apex} are missing on this node (blob ${zone.value.blob}); reload its zone file.`;
    problems.push(withSource(zone, { code: 'missing-blob', path: `zones/${apex}`, message }));
    return undefined;
  }
  const rrsets = [...madeRRsets(apex, zone.value, context.serialOf(apex), problems)];
  for (const [key, stored] of config.rrsets.get(apex) ?? []) {
    const rrset = parsedRRset(stored, rrsetPath(apex, key), problems);
    if (rrset !== undefined && !isMade(apex, stored.value)) rrsets.push(rrset);
  }
  return { kind: 'rrsets', rrsets };
}

/** The SOA and NS RRsets of a zone that is edited RRset by RRset; such a zone has none of its own. */
function madeRRsets(
  apex: string,
  zone: ApiZone,
  serial: number,
  problems: Problem[],
): readonly RRsetSource[] {
  const owner = parseName(apex);
  if (!owner.ok) return [];
  const numbers = [
    serial,
    SOA_REFRESH_SECONDS,
    SOA_RETRY_SECONDS,
    SOA_EXPIRE_SECONDS,
    zone.negativeTtlSeconds,
  ];
  const soa = [`${zone.nameServers[0]} ${zone.contact} ${numbers.join(' ')}`];
  return [
    { type: TYPE_SOA, texts: soa },
    { type: TYPE_NS, texts: zone.nameServers },
  ].map(({ type, texts }) => ({
    owner: owner.value,
    type,
    ttlSeconds: zone.ttlSeconds,
    rdatas: parseRecords(type, texts, `zones/${apex}`, problems),
  }));
}

function isMade(apex: string, rrset: RRset): boolean {
  return rrset.name === apex && (rrset.type === 'SOA' || rrset.type === 'NS');
}

/** By identity: a stored RRset never changes, and one edit in a large zone should not parse the rest again. */
const parsedRRsets = new WeakMap<Stored<RRset>, RRsetSource>();

function parsedRRset(stored: Stored<RRset>, path: string, problems: Problem[]): RRsetSource | undefined {
  const known = parsedRRsets.get(stored);
  if (known !== undefined) return known;
  const { value } = stored;
  const findings: Problem[] = [];
  const owner = parseName(value.name);
  const type = parseType(value.type);
  if (!owner.ok) findings.push(...owner.problems.map((problem) => ({ ...problem, path })));
  if (type === undefined) {
    const message = `The record type ${value.type} is not known, so the RRset is left out.`;
    findings.push({ code: 'bad-type', path, message });
  }
  const rdatas = type === undefined ? [] : parseRecords(type, value.records, path, findings);
  problems.push(...findings.map((problem) => withSource(stored, problem)));
  if (!owner.ok || type === undefined || rdatas.length === 0) return undefined;
  const rrset = { owner: owner.value, type, ttlSeconds: value.ttlSeconds, rdatas };
  // With problems it is parsed again next time, so that they are told again.
  if (findings.length === 0) parsedRRsets.set(stored, rrset);
  return rrset;
}

function parseRecords(
  type: number,
  texts: readonly string[],
  path: string,
  problems: Problem[],
): readonly Uint8Array[] {
  const rdatas: Uint8Array[] = [];
  for (const [i, text] of texts.entries()) {
    const rdata = parseRdata(type, text);
    if (rdata.ok) rdatas.push(rdata.value);
    else problems.push(...rdata.problems.map((problem) => ({ ...problem, path: `${path}/records/${i}` })));
  }
  return rdatas;
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

function withSource(stored: Stored<unknown>, problem: Problem): Problem {
  const source = sourceOf(stored.owner);
  return source === undefined ? problem : { ...problem, source };
}

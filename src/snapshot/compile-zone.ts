import type { Problem } from '../config/problem.ts';
import type { AllDown } from '../config/resources/steered-name.ts';
import { rdataKind, soaMinimumSeconds } from '../dns/rdata/index.ts';
import { formatType, TYPE_A, TYPE_AAAA, TYPE_CNAME, TYPE_SOA } from '../dns/type.ts';
import {
  ALL_DOWN_FAIL_OPEN,
  ALL_DOWN_FALLBACK,
  ALL_DOWN_LAST_KNOWN,
  ALL_DOWN_NODATA,
  ALL_DOWN_SERVFAIL,
  MAX_CANDIDATES,
} from '../steering/choose.ts';
import { encodePool, type PoolEndpoint } from '../steering/pool-image.ts';
import { GrowingInts, GrowingOctets } from './growing.ts';
import { NameTable } from './name-table.ts';
import { Quarantine } from './quarantine.ts';
import { RRsetEncoder } from './rrset-encoder.ts';
import { MAX_ENDPOINT_SLOTS } from './verdict-table.ts';
import * as image from './zone-image.ts';
import { type PlannedSteered, planZone, type ZonePlan } from './zone-plan.ts';
import type { EndpointSource, RRsetSource, SteeredSource, ZoneSource } from './zone-source.ts';

/** An image and what had to be left out of it. */
export interface CompiledZone {
  readonly image: SharedArrayBuffer;
  readonly problems: Problem[];
}

const allDownCodes: Readonly<Record<AllDown, number>> = {
  'fail-open': ALL_DOWN_FAIL_OPEN,
  'last-known': ALL_DOWN_LAST_KNOWN,
  fallback: ALL_DOWN_FALLBACK,
  nodata: ALL_DOWN_NODATA,
  servfail: ALL_DOWN_SERVFAIL,
};

const WORD_OCTETS = Int32Array.BYTES_PER_ELEMENT;

/**
 * Compiles a zone to its image. Never throws and never refuses: what cannot be served is left out, with a problem,
 * and all else is served; two good writes may have merged into a bad zone with nobody left to refuse it.
 * The apex must be a well-formed wire name in lower case.
 */
export function compileZone(source: ZoneSource): CompiledZone {
  const octets = new GrowingOctets();
  octets.append(
    new Uint8Array(image.ZONE_HEADER_WORDS * WORD_OCTETS),
    0,
    image.ZONE_HEADER_WORDS * WORD_OCTETS,
  );
  const apexAt = octets.length;
  octets.append(source.apex, 0, source.apex.length);

  const quarantine = new Quarantine(source.apex);
  const names = new NameTable(source.apex, octets);
  const plan = planZone(source, names, octets, quarantine);
  const encoder = new RRsetEncoder(names, octets, plan.cuts);
  const nodes = encodeNodes(plan, names, encoder, quarantine);
  const negativeSoa = encodeNegativeSoa(plan, encoder);
  const { steered, pools } = encodeSteered(plan.steered, encoder, octets, nodes, quarantine);

  const sections = [
    names.entries,
    nodes,
    encoder.rows.view(),
    encoder.lists.view(),
    steered.view(),
    pools.view(),
  ];
  const { buffer, words, starts } = assemble(octets, sections);
  const [table = 0, nodesAt = 0, rrsets = 0, lists = 0, steeredAt = 0, poolsAt = 0] = starts;
  words[0] = image.ZONE_MAGIC;
  words[image.ZONE_APEX] = apexAt;
  words[image.ZONE_APEX_LENGTH] = names.apex.length;
  words[image.ZONE_APEX_LABELS] = names.apex.labelCount;
  words[image.ZONE_APEX_HASH] = names.apex.suffixHashes[0] as number;
  words[image.ZONE_TABLE] = table;
  words[image.ZONE_TABLE_MASK] = names.entries.length / 2 - 1;
  words[image.ZONE_NODES] = nodesAt;
  words[image.ZONE_NODE_COUNT] = names.nodeCount;
  words[image.ZONE_RRSETS] = rrsets;
  words[image.ZONE_LISTS] = lists;
  words[image.ZONE_STEERED] = steeredAt;
  words[image.ZONE_STEERED_COUNT] = steered.length / image.STEERED_WORDS;
  words[image.ZONE_POOLS] = poolsAt;
  words[image.ZONE_NEGATIVE_SOA] = negativeSoa;
  words[image.ZONE_DEPTH] = names.depth;
  return { image: buffer, problems: quarantine.problems };
}

/** Lays the octets and then the sections of words one behind the other. */
function assemble(
  octets: GrowingOctets,
  sections: readonly Int32Array[],
): { readonly buffer: SharedArrayBuffer; readonly words: Int32Array; readonly starts: readonly number[] } {
  let end = Math.ceil(octets.length / WORD_OCTETS);
  const starts: number[] = [];
  for (const section of sections) {
    starts.push(end);
    end += section.length;
  }
  const buffer = new SharedArrayBuffer(end * WORD_OCTETS);
  new Uint8Array(buffer).set(octets.view());
  const words = new Int32Array(buffer);
  for (const [i, section] of sections.entries()) words.set(section, starts[i]);
  return { buffer, words, starts };
}

function encodeNodes(
  plan: ZonePlan,
  names: NameTable,
  encoder: RRsetEncoder,
  quarantine: Quarantine,
): Int32Array {
  const nodes = new Int32Array(image.NODE_WORDS * names.nodeCount);
  let rrsetNumber = 0;
  for (let node = 0; node < names.nodeCount; node++) {
    const row = image.NODE_WORDS * node;
    nodes[row + image.NODE_FIRST_RRSET] = rrsetNumber;
    const end = plan.firstRRset[node + 1] as number;
    let count = 0;
    for (let i = plan.firstRRset[node] as number; i < end; i++) {
      if (encodeRRset(plan.rrsets[i] as RRsetSource, node, encoder, quarantine)) count++;
    }
    rrsetNumber += count;
    nodes[row + image.NODE_HEAD] = names.labelLengths.at(node) | (count << 8);
    nodes[row + image.NODE_LABELS] = names.labels.at(node);
    nodes[row + image.NODE_WILDCARD] = names.wildcards.at(node);
    nodes[row + image.NODE_CUT] = plan.cuts[node] as number;
    nodes[row + image.NODE_STEERED] = image.NONE;
  }
  return nodes;
}

function encodeRRset(
  rrset: RRsetSource,
  node: number,
  encoder: RRsetEncoder,
  quarantine: Quarantine,
): boolean {
  const { type, ttlSeconds, rdatas } = rrset;
  if (encoder.encode(node, type, ttlSeconds, rdatas) !== image.NONE) return true;
  quarantine.rrset(rrset, 'rrset-too-large', 'does not fit into a DNS message of 65,535 octets');
  return false;
}

/** RFC 2308 sections 3 and 5: a negative answer lives as long as the lower of the SOA's own TTL and its MINIMUM. */
function encodeNegativeSoa(plan: ZonePlan, encoder: RRsetEncoder): number {
  const soa = plan.rrsets
    .slice(0, plan.firstRRset[image.APEX_NODE + 1])
    .find(({ type }) => type === TYPE_SOA);
  const [rdata] = soa?.rdatas ?? [];
  if (soa === undefined || rdata === undefined) return image.NONE;
  const ttlSeconds = Math.min(soa.ttlSeconds, soaMinimumSeconds(rdata));
  return encoder.encode(image.APEX_NODE, TYPE_SOA, ttlSeconds, [rdata]);
}

function encodeSteered(
  planned: readonly PlannedSteered[],
  encoder: RRsetEncoder,
  octets: GrowingOctets,
  nodes: Int32Array,
  quarantine: Quarantine,
): { readonly steered: GrowingInts; readonly pools: GrowingInts } {
  const steered = new GrowingInts();
  const pools = new GrowingInts();
  const known = new Map<readonly EndpointSource[], number>();
  for (const { node, source } of planned) {
    let pool = known.get(source.endpoints);
    if (pool === undefined) {
      pool = pools.length;
      known.set(source.endpoints, pool);
      const endpoints = soundEndpoints(source, quarantine).map((endpoint) =>
        encodeEndpoint(endpoint, node, encoder, octets),
      );
      for (const word of encodePool(endpoints)) pools.push(word);
    }
    const fallback = pools.length;
    for (const address of source.fallback) {
      pools.push(address.length === 4 ? TYPE_A : TYPE_AAAA);
      pools.push(octets.length);
      octets.append(address, 0, address.length);
    }
    nodes[image.NODE_WORDS * node + image.NODE_STEERED] = steered.length / image.STEERED_WORDS;
    const choice = source.answers | ((allDownCodes[source.allDown] ?? ALL_DOWN_FAIL_OPEN) << 8);
    for (const word of [source.ttlSeconds, choice, source.map, pool, fallback, source.fallback.length])
      steered.push(word);
  }
  return { steered, pools };
}

/** A canonical name becomes an RRset of its own, an address only its octets; both are found by `rdata`. */
function encodeEndpoint(
  endpoint: EndpointSource,
  node: number,
  encoder: RRsetEncoder,
  octets: GrowingOctets,
): PoolEndpoint {
  const { slot, dataCenter, type } = endpoint;
  const weight = Math.max(1, endpoint.weight);
  if (type === TYPE_CNAME) {
    // The TTL is the steered name's, written as the record is sent: names that share a pool differ in it.
    return { slot, dataCenter, weight, type, rdata: encoder.encode(node, TYPE_CNAME, 0, [endpoint.rdata]) };
  }
  const rdata = octets.length;
  octets.append(endpoint.rdata, 0, endpoint.rdata.length);
  return { slot, dataCenter, weight, type, rdata };
}

function soundEndpoints(source: SteeredSource, quarantine: Quarantine): readonly EndpointSource[] {
  const sound = source.endpoints.filter((endpoint) => {
    const { slot, type, rdata } = endpoint;
    if (slot >= 0 && slot < MAX_ENDPOINT_SLOTS && rdataKind(type).validate(rdata)) return true;
    quarantine.steered(
      source.owner,
      'bad-endpoint',
      `has a ${formatType(type)} endpoint that cannot be answered`,
    );
    return false;
  });
  if (sound.length > MAX_CANDIDATES) {
    quarantine.steered(
      source.owner,
      'too-many-endpoints',
      `has more than ${MAX_CANDIDATES} endpoints; the rest is left out`,
    );
  }
  return sound.slice(0, MAX_CANDIDATES);
}

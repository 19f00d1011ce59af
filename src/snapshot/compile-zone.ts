import type { Problem } from '../config/problem.ts';
import type { AllDown } from '../config/resources/steered-name.ts';
import { GrowingInts, GrowingOctets } from '../dns/growing.ts';
import { rdataKind, soaMinimumSeconds } from '../dns/rdata/index.ts';
import { RECORD_HEAD_LENGTH } from '../dns/rdata/kind.ts';
import { columnsOf, type RRsetColumns, type RRsetValue, rrsetCount } from '../dns/rrset-columns.ts';
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
import { EncodedZone, NO_ROOM, ROOM_FOR_EDITS, type ZoneRoom } from './encoded-zone.ts';
import { NO_ORIGIN, ORIGIN_LENGTH } from './image-origin.ts';
import { NameTable } from './name-table.ts';
import { Quarantine } from './quarantine.ts';
import { RRsetEncoder } from './rrset-encoder.ts';
import { MAX_ENDPOINT_SLOTS } from './verdict-table.ts';
import * as image from './zone-image.ts';
import { type PlannedSteered, plannedRRset, planZone, type ZonePlan } from './zone-plan.ts';
import type { ColumnsSource, EndpointSource, SteeredSource, ZoneSource } from './zone-source.ts';

/** An image and what had to be left out of it. */
export interface CompiledZone {
  readonly image: SharedArrayBuffer;
  readonly problems: Problem[];
}

/** A zone with room in its image, so that `ZoneEditor` can make the next image from it. */
export interface CompiledEditable extends CompiledZone {
  readonly room: ZoneRoom;
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
export function compileZone({ apex, rrsets, steeredNames }: ZoneSource): CompiledZone {
  return compileColumns({ apex, columns: columnsOf(rrsets), steeredNames });
}

/** As `compileZone`. `origin` tells what the image is made from, see `image-origin.ts`. */
export function compileColumns(source: ColumnsSource, origin?: Uint8Array): CompiledZone {
  const quarantine = new Quarantine(source.apex);
  const image = encodeZone(source, origin, quarantine).assemble(NO_ROOM);
  return { image, problems: quarantine.problems };
}

/** As `compileColumns`, with room for edits. */
export function compileEditable(source: ColumnsSource): CompiledEditable {
  const quarantine = new Quarantine(source.apex);
  const encoded = encodeZone(source, undefined, quarantine);
  const image = encoded.assemble(ROOM_FOR_EDITS);
  return { image, problems: quarantine.problems, room: encoded.room() };
}

function encodeZone(
  source: ColumnsSource,
  origin: Uint8Array | undefined,
  quarantine: Quarantine,
): EncodedZone {
  const { apex, columns } = source;
  const count = rrsetCount(columns);
  const octets = new GrowingOctets(columns.octets.length + RECORD_HEAD_LENGTH * count);
  octets.append(
    new Uint8Array(image.ZONE_HEADER_WORDS * WORD_OCTETS),
    0,
    image.ZONE_HEADER_WORDS * WORD_OCTETS,
  );
  const apexAt = octets.length;
  octets.append(apex, 0, apex.length);
  octets.append(origin ?? NO_ORIGIN, 0, ORIGIN_LENGTH);

  const labels = new GrowingOctets(columns.octets.length);
  const names = new NameTable(apex, labels, count);
  const plan = planZone(source, names, labels, quarantine);
  const encoder = new RRsetEncoder(
    {
      apex: names.apex,
      readInZone: (name, wire, start, end) => names.readInZone(name, wire, start, end),
      find: (name) => names.find(name),
      cutOf: (node) => plan.cuts[node] as number,
    },
    {
      octets,
      rows: new GrowingInts(image.RRSET_WORDS * count),
      lists: new GrowingInts(),
      targets: new GrowingInts(),
    },
  );
  const nodes = encodeNodes(plan, columns, names, labels, encoder, quarantine);
  const negativeSoa = encodeNegativeSoa(plan, columns, encoder);
  const { steered, pools } = encodeSteered(plan.steered, encoder, octets, nodes, quarantine);
  return new EncodedZone({ names, nodes, encoded: encoder.encoded, steered, pools, apexAt, negativeSoa });
}

function encodeNodes(
  plan: ZonePlan,
  columns: RRsetColumns,
  names: NameTable,
  labels: GrowingOctets,
  encoder: RRsetEncoder,
  quarantine: Quarantine,
): Int32Array {
  const nodes = new Int32Array(image.NODE_WORDS * names.nodeCount);
  let rrsetNumber = 0;
  for (let node = 0; node < names.nodeCount; node++) {
    const row = image.NODE_WORDS * node;
    nodes[row + image.NODE_FIRST_RRSET] = rrsetNumber;
    const first = plan.firstRRset[node] as number;
    const end = plan.firstRRset[node + 1] as number;
    nodes[row + image.NODE_LABELS] = putLabels(encoder.encoded.octets, labels, names, node);
    let count = 0;
    for (let i = first; i < end; i++) {
      if (encodeRRset(plannedRRset(plan, columns, i), node, encoder, quarantine)) count++;
    }
    rrsetNumber += count;
    nodes[row + image.NODE_HEAD] = names.labelLengths.at(node) | (count << 8);
    nodes[row + image.NODE_WILDCARD] = names.wildcards.at(node);
    nodes[row + image.NODE_CUT] = plan.cuts[node] as number;
    nodes[row + image.NODE_STEERED] = image.NONE;
  }
  return nodes;
}

/**
 * Puts a node's labels right before its records: a look-up reads both, and then mostly finds them in one line of the
 * processor's cache. Returns where they are.
 */
function putLabels(octets: GrowingOctets, labels: GrowingOctets, names: NameTable, node: number): number {
  const at = octets.length;
  const start = names.labels.at(node);
  octets.append(labels.octets, start, start + names.labelLengths.at(node));
  return at;
}

function encodeRRset(
  rrset: RRsetValue,
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
function encodeNegativeSoa(plan: ZonePlan, columns: RRsetColumns, encoder: RRsetEncoder): number {
  const end = plan.firstRRset[image.APEX_NODE + 1] as number;
  for (let position = 0; position < end; position++) {
    const { type, ttlSeconds: own, rdatas } = plannedRRset(plan, columns, position);
    const [rdata] = rdatas;
    if (type !== TYPE_SOA || rdata === undefined) continue;
    const ttlSeconds = Math.min(own, soaMinimumSeconds(rdata));
    return encoder.encode(image.APEX_NODE, TYPE_SOA, ttlSeconds, [rdata]);
  }
  return image.NONE;
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

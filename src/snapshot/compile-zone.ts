import type { Problem } from '../config/problem.ts';
import type { AllDown } from '../config/resources/steered-name.ts';
import { GrowingInts, GrowingOctets } from '../dns/growing.ts';
import { rdataKind, soaMinimumSeconds } from '../dns/rdata/index.ts';
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
import { allocatePlain } from './allocate-image.ts';
import { EncodedZone, NO_ROOM, nodeRoom, ROOM_FOR_EDITS, type Room, type ZoneRoom } from './encoded-zone.ts';
import { NO_ORIGIN, ORIGIN_LENGTH } from './image-origin.ts';
import { NameTable } from './name-table.ts';
import { CompiledNodes, putLink } from './node-row.ts';
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
export function compileColumns(
  source: ColumnsSource,
  origin = NO_ORIGIN,
  allocate = allocatePlain,
): CompiledZone {
  const quarantine = new Quarantine(source.apex);
  const image = encodeZone(source, origin, quarantine, NO_ROOM).assemble(allocate);
  return { image, problems: quarantine.problems };
}

/** As `compileColumns`, with room for edits. */
export function compileEditable(source: ColumnsSource, allocate = allocatePlain): CompiledEditable {
  const quarantine = new Quarantine(source.apex);
  const encoded = encodeZone(source, NO_ORIGIN, quarantine, ROOM_FOR_EDITS);
  const image = encoded.assemble(allocate);
  return { image, problems: quarantine.problems, room: encoded.room() };
}

function encodeZone(
  source: ColumnsSource,
  origin: Uint8Array,
  quarantine: Quarantine,
  room: Room,
): EncodedZone {
  const { apex, columns } = source;
  const count = rrsetCount(columns);
  const labels = new GrowingOctets(columns.octets.length);
  const names = new NameTable(apex, labels, count);
  const plan = planZone(source, names, labels, quarantine);

  const octets = new GrowingOctets();
  const octetsAt = WORD_OCTETS * image.nodeRow(nodeRoom(names.nodeCount, room));
  octets.append(apex, 0, apex.length);
  octets.append(origin, 0, ORIGIN_LENGTH);
  const encoder = new RRsetEncoder(
    {
      apex: names.apex,
      readInZone: (name, wire, start, end) => names.readInZone(name, wire, start, end),
      find: (name) => names.find(name),
      cutOf: (node) => plan.cuts[node] as number,
    },
    { octets, octetsAt, rows: new GrowingInts(), lists: new GrowingInts(), targets: new GrowingInts() },
  );
  const nodes = encodeNodes(plan, columns, names, labels, encoder, quarantine);
  const negativeSoa = encodeNegativeSoa(plan, columns, encoder);
  const { steered, pools } = encodeSteered(plan.steered, encoder, nodes, quarantine);
  const { encoded } = encoder;
  return new EncodedZone({ names, nodes, encoded, steered, pools, apexAt: octetsAt, negativeSoa }, room);
}

function encodeNodes(
  plan: ZonePlan,
  columns: RRsetColumns,
  names: NameTable,
  labels: GrowingOctets,
  encoder: RRsetEncoder,
  quarantine: Quarantine,
): Int32Array {
  const { octets, octetsAt, rows, lists } = encoder.encoded;
  const nodes = new CompiledNodes(names.nodeCount, octets);
  for (let node = 0; node < names.nodeCount; node++) {
    const labelsStart = octets.length;
    const ownLabels = names.labels.at(node);
    octets.append(labels.octets, ownLabels, ownLabels + names.labelLengths.at(node));
    nodes.begin(node, labelsStart, octetsAt + labelsStart);
    const recordsStart = octets.length;
    const first = rows.length / image.RRSET_WORDS;
    const end = plan.firstRRset[node + 1] as number;
    for (let i = plan.firstRRset[node] as number; i < end; i++) {
      encodeRRset(plannedRRset(plan, columns, i), node, encoder, quarantine);
    }
    nodes.finish(node, rows, first, recordsStart);
    const wildcard = names.wildcards.at(node);
    if (wildcard !== image.NONE) putLink(nodes.words, node, lists, image.LINK_WILDCARD, wildcard);
    const cut = plan.cuts[node] as number;
    if (cut !== image.NONE) putLink(nodes.words, node, lists, image.LINK_CUT, cut);
  }
  return nodes.words;
}

function encodeRRset(rrset: RRsetValue, node: number, encoder: RRsetEncoder, quarantine: Quarantine): void {
  const { type, ttlSeconds, rdatas } = rrset;
  if (encoder.encode(node, type, ttlSeconds, rdatas) !== image.NONE) return;
  quarantine.rrset(rrset, 'rrset-too-large', 'does not fit into a DNS message of 65,535 octets');
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
        encodeEndpoint(endpoint, node, encoder),
      );
      for (const word of encodePool(endpoints)) pools.push(word);
    }
    const fallback = pools.length;
    for (const address of source.fallback) {
      pools.push(address.length === 4 ? TYPE_A : TYPE_AAAA);
      pools.push(putOctets(encoder, address));
    }
    const position = steered.length / image.STEERED_WORDS;
    putLink(nodes, node, encoder.encoded.lists, image.LINK_STEERED, position);
    const choice = source.answers | ((allDownCodes[source.allDown] ?? ALL_DOWN_FAIL_OPEN) << 8);
    for (const word of [source.ttlSeconds, choice, source.map, pool, fallback, source.fallback.length])
      steered.push(word);
  }
  return { steered, pools };
}

/** A canonical name becomes an RRset of its own, an address only its octets; both are found by `rdata`. */
function encodeEndpoint(endpoint: EndpointSource, node: number, encoder: RRsetEncoder): PoolEndpoint {
  const { slot, dataCenter, type } = endpoint;
  const weight = Math.max(1, endpoint.weight);
  if (type === TYPE_CNAME) {
    // The TTL is the steered name's, written as the record is sent: names that share a pool differ in it.
    return { slot, dataCenter, weight, type, rdata: encoder.encode(node, TYPE_CNAME, 0, [endpoint.rdata]) };
  }
  return { slot, dataCenter, weight, type, rdata: putOctets(encoder, endpoint.rdata) };
}

/** Puts octets into the image and returns where they are. */
function putOctets({ encoded: { octets, octetsAt } }: RRsetEncoder, given: Uint8Array): number {
  const at = octetsAt + octets.length;
  octets.append(given, 0, given.length);
  return at;
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

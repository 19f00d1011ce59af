import { GrowingInts, type GrowingOctets } from '../dns/growing.ts';
import { createHashedName } from '../dns/hashed-name.ts';
import { wireNameLength } from '../dns/name.ts';
import { distinctRdatas } from '../dns/rdata/canonical.ts';
import { rdataKind } from '../dns/rdata/index.ts';
import {
  type RRsetColumns,
  type RRsetValue,
  rdatasOf,
  recordCount,
  rrsetCount,
  rrsetValue,
  typeOf,
} from '../dns/rrset-columns.ts';
import { MAX_TTL_SECONDS } from '../dns/ttl.ts';
import {
  formatType,
  isMetaType,
  mayStandBesideCname,
  TYPE_A,
  TYPE_AAAA,
  TYPE_CNAME,
  TYPE_DS,
  TYPE_NS,
  TYPE_NSEC,
  TYPE_RRSIG,
  TYPE_SOA,
} from '../dns/type.ts';
import { isWildcard, type NameTable } from './name-table.ts';
import type { Quarantine } from './quarantine.ts';
import { APEX_NODE, NONE } from './zone-image.ts';
import type { SteeredSource } from './zone-source.ts';

/** What the parent side of a zone cut has authority for, and the NS RRset itself (RFC 4035 section 2.6). */
const typesAtCut: readonly number[] = [TYPE_NS, TYPE_DS, TYPE_NSEC, TYPE_RRSIG];
const addressTypes: readonly number[] = [TYPE_A, TYPE_AAAA];
/** What the pool of a steered name answers. */
const steeredTypes: readonly number[] = [TYPE_A, TYPE_AAAA, TYPE_CNAME];

/** What goes into an image: sound records only, by node. */
export interface ZonePlan {
  /** By node: the zone cut at or above it, or `NONE`. */
  readonly cuts: Int32Array;
  /** All RRsets to encode, those of one node side by side: their numbers in the columns, or in `mended`, see `MENDED`. */
  readonly rrsets: GrowingInts;
  /** RRsets of which not all could be kept, or that were joined from several. */
  readonly mended: readonly RRsetValue[];
  /** By node: where its RRsets begin in `rrsets`; one more entry at the end. */
  readonly firstRRset: Int32Array;
  readonly steered: readonly PlannedSteered[];
}

export interface PlannedSteered {
  readonly node: number;
  readonly source: SteeredSource;
}

/** What is planned from RRsets in columns. */
export interface PlanSource {
  readonly columns: RRsetColumns;
  readonly steeredNames: readonly SteeredSource[];
}

/** Numbers of `mended` count down from here. */
const MENDED = -1;

/** An RRset of a plan by its position in `rrsets`. */
export function plannedRRset(plan: ZonePlan, columns: RRsetColumns, position: number): RRsetValue {
  const number = plan.rrsets.at(position);
  return number > MENDED ? rrsetValue(columns, number) : (plan.mended[MENDED - number] as RRsetValue);
}

/** Gives every name its node and leaves out, with a problem, every record that cannot be served as it is. */
export function planZone(
  { columns, steeredNames }: PlanSource,
  names: NameTable,
  octets: GrowingOctets,
  quarantine: Quarantine,
): ZonePlan {
  const owners = placeRRsets(columns, names, octets, quarantine);
  const steered = placeSteered(steeredNames, names, quarantine);
  const cuts = findCuts(columns, owners, names);
  const glue = findGlue(columns, owners, cuts, names);
  const members = groupByNode(owners, names.nodeCount);
  const steeredNodes = new Set(steered.map(({ node }) => node));

  const rrsets = new GrowingInts(members.positions.length);
  const mended: RRsetValue[] = [];
  const firstRRset = new Int32Array(names.nodeCount + 1);
  for (let node = 0; node < names.nodeCount; node++) {
    firstRRset[node] = rrsets.length;
    const start = members.starts[node] as number;
    const end = members.starts[node + 1] as number;
    if (start === end) continue;
    const cut = cuts[node];
    const site: Site = {
      apex: node === APEX_NODE,
      cut: cut === NONE ? 'none' : cut === node ? 'at' : 'below',
      glue: glue[node] === 1,
      steered: steeredNodes.has(node),
    };
    const first = members.positions[start] as number;
    if (end === start + 1 && isPlain(columns, first, site)) {
      rrsets.push(first);
      continue;
    }
    const numbers = new Map<RRsetValue, number>();
    for (let i = start; i < end; i++) {
      const number = members.positions[i] as number;
      numbers.set(rrsetValue(columns, number), number);
    }
    for (const rrset of keepSoundRRsets([...numbers.keys()], site, quarantine)) {
      const number = numbers.get(rrset);
      if (number === undefined) mended.push(rrset);
      rrsets.push(number ?? MENDED - (mended.length - 1));
    }
  }
  firstRRset[names.nodeCount] = rrsets.length;
  const plan = { cuts, rrsets, mended, firstRRset, steered: [] };
  checkApex(plan, columns, quarantine);
  return { ...plan, steered: steered.filter((name) => isOurs(name, cuts, quarantine)) };
}

/** One record that is alone at its owner: nothing but its place can be wrong with it. Nearly all of most zones is. */
function isPlain(columns: RRsetColumns, rrset: number, { cut, steered }: Site): boolean {
  const type = typeOf(columns, rrset);
  return cut === 'none' && !steered && type !== TYPE_SOA && recordCount(columns, rrset) === 1;
}

/** The RRsets of one node as they are served. */
export function keepSoundRRsets(
  here: readonly RRsetValue[],
  site: Site,
  quarantine: Quarantine,
): readonly RRsetValue[] {
  return keepSound(mergeSameType(here).map(withoutRepeats), site, quarantine);
}

/** Where a node lies, as far as that decides which records it may have. */
export interface Site {
  readonly apex: boolean;
  readonly cut: 'none' | 'at' | 'below';
  readonly glue: boolean;
  readonly steered: boolean;
}

function withoutRepeats(rrset: RRsetValue): RRsetValue {
  const rdatas = distinctRdatas(rdataKind(rrset.type), rrset.rdatas);
  return rdatas === rrset.rdatas ? rrset : { ...rrset, rdatas };
}

/** Whether an RRset could be served somewhere. */
export function isSound(rrset: RRsetValue, quarantine: Quarantine): boolean {
  const { type, ttlSeconds, rdatas } = rrset;
  if (wireNameLength(rrset.owner, 0) !== rrset.owner.length) {
    quarantine.zone('bad-name', `An owner name of a ${formatType(type)} RRset is not a name.`);
  } else if (isMetaType(type))
    quarantine.rrset(rrset, 'meta-type', 'has a type that no zone holds (RFC 6895 section 3.1)');
  else if (rdatas.length === 0) quarantine.rrset(rrset, 'empty-rrset', 'has no records');
  else if (!(ttlSeconds >= 0 && ttlSeconds <= MAX_TTL_SECONDS)) {
    quarantine.rrset(rrset, 'bad-ttl', `has a TTL that is not 0 to ${MAX_TTL_SECONDS} seconds`);
  } else if (!rdatas.every(rdataKind(type).validate))
    quarantine.rrset(rrset, 'bad-rdata', 'has a record that is not well-formed');
  else return true;
  return false;
}

/** The node of every RRset's owner; `NONE` for those that are not sound or lie outside the zone. */
function placeRRsets(
  columns: RRsetColumns,
  names: NameTable,
  octets: GrowingOctets,
  quarantine: Quarantine,
): Int32Array {
  const owners = new Int32Array(rrsetCount(columns)).fill(NONE);
  const name = createHashedName();
  for (let rrset = 0; rrset < owners.length; rrset++) {
    const value = rrsetValue(columns, rrset);
    if (!isSound(value, quarantine)) continue;
    if (!names.readInZone(name, value.owner, 0, value.owner.length)) {
      quarantine.rrset(value, 'outside-zone', 'is outside its zone');
      continue;
    }
    const node = names.add(name);
    // RFC 4592 section 4.2: what a delegation at a wildcard would mean is not defined.
    if (value.type === TYPE_NS && isWildcard(names, node, octets)) {
      quarantine.rrset(value, 'wildcard-delegation', 'delegates a wildcard, which has no defined meaning');
    } else owners[rrset] = node;
  }
  return owners;
}

function placeSteered(
  sources: readonly SteeredSource[],
  names: NameTable,
  quarantine: Quarantine,
): PlannedSteered[] {
  const placed = new Map<number, PlannedSteered>();
  const name = createHashedName();
  for (const source of sources) {
    if (!names.readInZone(name, source.owner, 0, source.owner.length)) {
      quarantine.steered(source.owner, 'outside-zone', 'is outside its zone');
      continue;
    }
    const node = names.add(name);
    if (placed.has(node))
      quarantine.steered(source.owner, 'steered-twice', 'stands twice; the first is served');
    else placed.set(node, { node, source });
  }
  return [...placed.values()];
}

/** A parent's node comes before its children's, so one pass hands each cut down to everything below it. */
function findCuts(columns: RRsetColumns, owners: Int32Array, names: NameTable): Int32Array {
  const cuts = new Int32Array(names.nodeCount).fill(NONE);
  for (let rrset = 0; rrset < owners.length; rrset++) {
    const node = owners[rrset] as number;
    if (typeOf(columns, rrset) === TYPE_NS && node !== NONE && node !== APEX_NODE) cuts[node] = node;
  }
  for (let node = APEX_NODE + 1; node < names.nodeCount; node++) {
    const above = cuts[names.parents.at(node)] as number;
    if (above !== NONE) cuts[node] = above;
  }
  return cuts;
}

/** Marks the nodes whose addresses a delegation, or the apex, needs although they lie at or below a cut. */
function findGlue(columns: RRsetColumns, owners: Int32Array, cuts: Int32Array, names: NameTable): Uint8Array {
  const glue = new Uint8Array(names.nodeCount);
  const name = createHashedName();
  for (let rrset = 0; rrset < owners.length; rrset++) {
    const node = owners[rrset] as number;
    if (typeOf(columns, rrset) !== TYPE_NS || node === NONE) continue;
    if (cuts[node] !== NONE && cuts[node] !== node) continue;
    for (const rdata of rdatasOf(columns, rrset)) {
      const target = names.readInZone(name, rdata, 0, rdata.length) ? names.find(name) : NONE;
      if (target !== NONE) glue[target] = 1;
    }
  }
  return glue;
}

/** RRset positions sorted by node, as one column and each node's start in it. */
interface Grouping {
  readonly positions: Int32Array;
  readonly starts: Int32Array;
}

function groupByNode(owners: Int32Array, nodeCount: number): Grouping {
  const starts = new Int32Array(nodeCount + 1);
  for (const node of owners) if (node !== NONE) starts[node + 1] = (starts[node + 1] as number) + 1;
  for (let node = 0; node < nodeCount; node++) {
    starts[node + 1] = (starts[node + 1] as number) + (starts[node] as number);
  }
  const next = starts.slice();
  const positions = new Int32Array(starts[nodeCount] as number);
  for (let i = 0; i < owners.length; i++) {
    const node = owners[i] as number;
    if (node === NONE) continue;
    const position = next[node] as number;
    positions[position] = i;
    next[node] = position + 1;
  }
  return { positions, starts };
}

/** Two writers may each have brought records of one RRset; it takes the lower TTL (RFC 2181 section 5.2). */
function mergeSameType(here: readonly RRsetValue[]): readonly RRsetValue[] {
  if (here.length < 2) return here;
  const byType = new Map<number, RRsetValue>();
  for (const rrset of here) {
    const other = byType.get(rrset.type);
    if (other === undefined) byType.set(rrset.type, rrset);
    else {
      const ttlSeconds = Math.min(other.ttlSeconds, rrset.ttlSeconds);
      byType.set(rrset.type, { ...other, ttlSeconds, rdatas: [...other.rdatas, ...rrset.rdatas] });
    }
  }
  return [...byType.values()];
}

function keepSound(here: readonly RRsetValue[], site: Site, quarantine: Quarantine): RRsetValue[] {
  const kept: RRsetValue[] = [];
  const besideCname = here.find((rrset) => rrset.type !== TYPE_CNAME && !mayStandBesideCname(rrset.type));
  for (const rrset of here) {
    const refusal = refusalOf(rrset, site, besideCname?.type);
    if (refusal !== undefined) {
      quarantine.rrset(rrset, refusal.code, refusal.why);
    } else if (rrset.rdatas.length > 1 && (rrset.type === TYPE_CNAME || rrset.type === TYPE_SOA)) {
      const code = rrset.type === TYPE_CNAME ? 'many-cnames' : 'many-soas';
      quarantine.rrset(
        rrset,
        code,
        `has ${rrset.rdatas.length} records where one may stand; the first is served`,
      );
      kept.push({ ...rrset, rdatas: rrset.rdatas.slice(0, 1) });
    } else kept.push(rrset);
  }
  return kept;
}

interface Refusal {
  readonly code: string;
  readonly why: string;
}

/** Why a record may not stand where it stands; undefined where it may. */
function refusalOf(rrset: RRsetValue, site: Site, besideCname: number | undefined): Refusal | undefined {
  const { type } = rrset;
  const isGlue = site.glue && addressTypes.includes(type);
  if (site.cut === 'below' && !isGlue) {
    return { code: 'occluded-record', why: 'is below a delegation, so the delegated zone answers for it' };
  }
  if (site.cut === 'at' && !isGlue && !typesAtCut.includes(type)) {
    return { code: 'occluded-record', why: 'stands at a delegation, so the delegated zone answers for it' };
  }
  if (type === TYPE_SOA && !site.apex) {
    return { code: 'soa-below-apex', why: 'is an SOA below the apex of its zone' };
  }
  if (site.steered && steeredTypes.includes(type)) {
    return { code: 'steered-and-static', why: 'stands at a steered name, whose pool answers this type' };
  }
  if (type === TYPE_CNAME && besideCname !== undefined) {
    return {
      code: 'cname-and-other-data',
      why: `stands beside ${formatType(besideCname)}; a CNAME stands alone`,
    };
  }
  return undefined;
}

function isOurs(steered: PlannedSteered, cuts: Int32Array, quarantine: Quarantine): boolean {
  if (cuts[steered.node] === NONE) return true;
  quarantine.steered(
    steered.source.owner,
    'occluded-record',
    'is at or below a delegation, so the delegated zone answers',
  );
  return false;
}

function checkApex(plan: ZonePlan, columns: RRsetColumns, quarantine: Quarantine): void {
  const types = new Set<number>();
  const end = plan.firstRRset[APEX_NODE + 1] as number;
  for (let position = 0; position < end; position++) types.add(plannedRRset(plan, columns, position).type);
  if (!types.has(TYPE_SOA)) {
    quarantine.zone(
      'no-soa',
      'The zone has no SOA record at its apex, so resolvers cannot cache that a name is absent.',
    );
  }
  if (!types.has(TYPE_NS)) {
    quarantine.zone('no-apex-ns', 'The zone has no NS record at its apex; it needs at least one.');
  }
}

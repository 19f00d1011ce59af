import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Stored } from '../../config/model.ts';
import { sourceOf } from '../../config/owners.ts';
import type { Problem } from '../../config/problem.ts';
import { rrsetPath } from '../../config/resource-path.ts';
import type { RRset } from '../../config/resources/rrset.ts';
import type { ApiZone } from '../../config/resources/zone.ts';
import { type RRsets, rrsetsAt, shardsOf } from '../../config/rrset-map.ts';
import { parseName } from '../../dns/name.ts';
import { parseRdata } from '../../dns/rdata/index.ts';
import { columnsOf, type RRsetColumns, type RRsetValue } from '../../dns/rrset-columns.ts';
import { parseType, TYPE_NS, TYPE_SOA } from '../../dns/type.ts';
import type { OwnerEdit } from '../../snapshot/edit-zone.ts';

/** SOA fields for secondaries (RFC 1912 section 2.2): look every two hours, again after 15 minutes, give up after two weeks. */
const SOA_REFRESH_SECONDS = 7200;
const SOA_RETRY_SECONDS = 900;
const SOA_EXPIRE_SECONDS = 1_209_600;

/** A zone that is edited RRset by RRset. */
export interface EditedZone {
  readonly apex: string;
  readonly zone: ApiZone;
  readonly rrsets: RRsets;
  /** Of the SOA (RFC 1982 arithmetic), 0 to 2^32 - 1. */
  readonly serial: number;
}

interface EncodedShard {
  readonly columns: RRsetColumns;
  readonly problems: readonly Problem[];
}

/** By identity: a part of a zone that nobody edited is not parsed again. */
const encodedShards = new WeakMap<RRsets, EncodedShard>();

/** All records of a zone, with those that are made from its own fields; what does not parse is left out and told. */
export function zoneColumns(edited: EditedZone, problems: Problem[]): readonly RRsetColumns[] {
  const parts = [columnsOf(madeRRsets(edited, problems))];
  for (const shard of shardsOf(edited.rrsets)) {
    const encoded = encodeShard(edited.apex, shard);
    for (const problem of encoded.problems) problems.push(problem);
    parts.push(encoded.columns);
  }
  return parts;
}

/** Does the slow part of `zoneColumns`, with turns of the event loop in between: to parse 100,000 RRsets takes a while. */
export async function prepareColumns(apex: string, rrsets: RRsets): Promise<void> {
  for (const shard of shardsOf(rrsets)) {
    if (encodedShards.has(shard)) continue;
    encodeShard(apex, shard);
    await nextTurn();
  }
}

/** What these owner names have now; undefined where something of it does not parse. */
export function ownerEdits(edited: EditedZone, owners: Iterable<string>): readonly OwnerEdit[] | undefined {
  const { apex } = edited;
  const problems: Problem[] = [];
  const edits: OwnerEdit[] = [];
  for (const [name, stored] of rrsetsAt(edited.rrsets, owners)) {
    const owner = parseName(name);
    if (!owner.ok) return undefined;
    const made = name === apex ? madeRRsets(edited, problems) : [];
    const rrsets = stored.flatMap((rrset) => parsedRRset(apex, rrset, problems));
    edits.push({ owner: owner.value, rrsets: [...made, ...rrsets] });
  }
  return problems.length > 0 ? undefined : edits;
}

function encodeShard(apex: string, shard: RRsets): EncodedShard {
  const known = encodedShards.get(shard);
  if (known !== undefined) return known;
  const problems: Problem[] = [];
  const rrsets = [...shard.values()].flatMap((stored) => parsedRRset(apex, stored, problems));
  const encoded = { columns: columnsOf(rrsets), problems };
  encodedShards.set(shard, encoded);
  return encoded;
}

/** The SOA and NS RRsets of a zone that is edited RRset by RRset; such a zone has none of its own. */
function madeRRsets({ apex, zone, serial }: EditedZone, problems: Problem[]): readonly RRsetValue[] {
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

/** The RRset, or nothing with a problem. */
function parsedRRset(apex: string, stored: Stored<RRset>, problems: Problem[]): readonly RRsetValue[] {
  const { value } = stored;
  if (isMade(apex, value)) return [];
  const path = rrsetPath(apex, `${value.name} ${value.type}`);
  const findings: Problem[] = [];
  const owner = parseName(value.name);
  const type = parseType(value.type);
  if (!owner.ok) findings.push(...owner.problems.map((problem) => ({ ...problem, path })));
  if (type === undefined) {
    const message = `The record type ${value.type} is not known, so the RRset is left out.`;
    findings.push({ code: 'bad-type', path, message });
  }
  const rdatas = type === undefined ? [] : parseRecords(type, value.records, path, findings);
  for (const problem of findings) problems.push(withSource(stored, problem));
  if (!owner.ok || type === undefined || rdatas.length === 0) return [];
  return [{ owner: owner.value, type, ttlSeconds: value.ttlSeconds, rdatas }];
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

/** The problem with the file and line of the resource that it is about, where it comes from one. */
export function withSource(stored: Stored<unknown>, problem: Problem): Problem {
  const source = sourceOf(stored.owner);
  return source === undefined ? problem : { ...problem, source };
}

import type { Problem, SourceLine } from '../config/problem.ts';
import { formatName, isSubdomain, lowercaseName, namesEqual } from './name.ts';
import { octetKey } from './octet-key.ts';
import { canonicalRdata, LINEAR_SEARCH_LIMIT, octetsEqual } from './rdata/canonical.ts';
import { rdataKind } from './rdata/index.ts';
import { MAX_RRSET_LENGTH, RECORD_HEAD_LENGTH } from './rdata/kind.ts';
import { formatType, mayStandBesideCname, TYPE_CNAME, TYPE_DNAME, TYPE_NS, TYPE_SOA } from './type.ts';

/*
 * Gathers records into RRsets, and checks what only the whole zone can tell.
 *
 *     "\3www\7example\3org\0" -> type 1  -> { owner, ttl, rdatas, first line }
 *      (owner, lower case)       type 28 -> { ... }
 */

/** All records of one owner name and type, in the order of the file. */
export interface ParsedRRset {
  /** In the case of the first record. */
  readonly owner: Uint8Array;
  readonly type: number;
  readonly ttlSeconds: number;
  readonly rdatas: readonly Uint8Array[];
  /** Where the first record stands. */
  readonly source: SourceLine;
}

/** One record as read. */
export interface ZoneRecord {
  readonly owner: Uint8Array;
  readonly type: number;
  readonly ttlSeconds: number;
  readonly rdata: Uint8Array;
  readonly source: SourceLine;
}

interface GrowingRRset extends ParsedRRset {
  readonly rdatas: Uint8Array[];
}

interface OwnerNode {
  readonly owner: Uint8Array;
  readonly rrsets: GrowingRRset[];
}

/** RFC 6672 section 3: a server that does not synthesise from a DNAME would deny every name below it. */
export const DNAME_SENTENCE =
  'names below it are not redirected by this server yet; write a CNAME for each, or a wildcard CNAME.';

/** Collects the records of one zone. */
export class ZoneCollation {
  readonly #owners = new Map<string, OwnerNode>();
  readonly #rrsets: GrowingRRset[] = [];
  /** Canonical forms of the records of RRsets that have many. */
  readonly #seen = new Map<GrowingRRset, Set<string>>();
  readonly #report: (problem: Problem) => void;
  readonly #path: string;
  #lastOwner: Uint8Array | undefined;
  #lastNode: OwnerNode | undefined;

  /** `path` is the path of every problem that is reported. */
  constructor(path: string, report: (problem: Problem) => void) {
    this.#path = path;
    this.#report = report;
  }

  /** Adds a record; one that is there already is dropped without a word (RFC 2181 section 5). */
  add(record: ZoneRecord): void {
    const node = this.#nodeOf(record.owner);
    const rrset = node.rrsets.find((candidate) => candidate.type === record.type);
    if (rrset === undefined) {
      const { owner, type, ttlSeconds, rdata, source } = record;
      const created: GrowingRRset = { owner, type, ttlSeconds, rdatas: [rdata], source };
      node.rrsets.push(created);
      this.#rrsets.push(created);
      return;
    }
    if (rrset.ttlSeconds !== record.ttlSeconds) {
      const first = `${rrset.ttlSeconds} of its first record (${rrset.source.file}:${rrset.source.line})`;
      this.#refuse(
        'ttl-mismatch',
        record.source,
        `${subject(rrset)} has TTL ${record.ttlSeconds} here and ${first}; all records of an RRset have one TTL.`,
      );
      return;
    }
    if (!this.#holds(rrset, record.rdata)) rrset.rdatas.push(record.rdata);
  }

  /** Checks the zone as a whole; returns its apex and the RRsets that may be used. */
  finish(file: string): { readonly rrsets: ParsedRRset[]; readonly apex: Uint8Array | undefined } {
    const apex = this.#checkApex(file);
    const rrsets = this.#rrsets.filter((rrset) => this.#checkPlace(rrset, apex));
    for (const rrset of rrsets) this.#checkServable(rrset);
    for (const node of this.#owners.values()) this.#checkCname(node);
    return { rrsets, apex };
  }

  #holds(rrset: GrowingRRset, rdata: Uint8Array): boolean {
    const { rdatas } = rrset;
    const kind = rdataKind(rrset.type);
    const canonical = canonicalRdata(kind, rdata);
    if (rdatas.length < LINEAR_SEARCH_LIMIT) {
      return rdatas.some((known) => octetsEqual(canonicalRdata(kind, known), canonical));
    }
    let seen = this.#seen.get(rrset);
    if (seen === undefined) {
      seen = new Set(rdatas.map((known) => octetKey(canonicalRdata(kind, known))));
      this.#seen.set(rrset, seen);
    }
    const key = octetKey(canonical);
    if (seen.has(key)) return true;
    seen.add(key);
    return false;
  }

  #nodeOf(owner: Uint8Array): OwnerNode {
    // Consecutive records mostly share one owner, as the same octets.
    if (owner === this.#lastOwner && this.#lastNode !== undefined) return this.#lastNode;
    const key = octetKey(lowercaseName(owner));
    let node = this.#owners.get(key);
    if (node === undefined) {
      node = { owner, rrsets: [] };
      this.#owners.set(key, node);
    }
    this.#lastOwner = owner;
    this.#lastNode = node;
    return node;
  }

  #checkApex(file: string): Uint8Array | undefined {
    const [soa, ...others] = this.#rrsets.filter((rrset) => rrset.type === TYPE_SOA);
    if (soa === undefined) {
      this.#refuse(
        'no-soa',
        { file, line: 1 },
        'The zone has no SOA record; it needs exactly one, at its apex.',
      );
      return undefined;
    }
    const apexName = formatName(soa.owner);
    if (soa.rdatas.length > 1) {
      this.#refuse(
        'many-soas',
        soa.source,
        `${apexName} has ${soa.rdatas.length} SOA records; a zone has exactly one.`,
      );
    }
    for (const other of others) {
      const sentence = `A second SOA record stands at ${formatName(other.owner)}; the zone's only one is at ${apexName}`;
      this.#refuse('many-soas', other.source, `${sentence}, where the first was found.`);
    }
    const hasNs = this.#rrsets.some((rrset) => rrset.type === TYPE_NS && namesEqual(rrset.owner, soa.owner));
    if (!hasNs) {
      this.#refuse('no-apex-ns', soa.source, `The apex ${apexName} has no NS record; it needs at least one.`);
    }
    return soa.owner;
  }

  #checkPlace(rrset: GrowingRRset, apex: Uint8Array | undefined): boolean {
    if (apex === undefined || isSubdomain(rrset.owner, apex)) return true;
    const sentence = `${subject(rrset)} is outside the zone ${formatName(apex)}`;
    this.#refuse('outside-zone', rrset.source, `${sentence}; check the name's final dot and $ORIGIN.`);
    return false;
  }

  /** What could be stored but not be answered would turn into a denial that the data exists. */
  #checkServable(rrset: GrowingRRset): void {
    if (rrset.type === TYPE_DNAME) {
      this.#refuse('unserved-type', rrset.source, `${subject(rrset)}: ${DNAME_SENTENCE}`);
    }
    const octets = rrset.rdatas.reduce((sum, rdata) => sum + rdata.length + RECORD_HEAD_LENGTH, 0);
    if (octets > MAX_RRSET_LENGTH) {
      const sentence = `${subject(rrset)} takes ${octets} octets and does not fit a message`;
      this.#refuse('rrset-too-large', rrset.source, `${sentence}; at most ${MAX_RRSET_LENGTH} do.`);
    }
  }

  #checkCname({ owner, rrsets }: OwnerNode): void {
    const cname = rrsets.find((rrset) => rrset.type === TYPE_CNAME);
    if (cname === undefined) return;
    if (cname.rdatas.length > 1) {
      const sentence = `${formatName(owner)} has ${cname.rdatas.length} CNAME records`;
      this.#refuse('many-cnames', cname.source, `${sentence}; a name has one canonical name.`);
    }
    const other = rrsets.find((rrset) => rrset !== cname && !mayStandBesideCname(rrset.type));
    if (other === undefined) return;
    const place = `${other.source.file}:${other.source.line}`;
    this.#refuse(
      'cname-and-other-data',
      cname.source,
      `${formatName(owner)} has a CNAME record and also ${formatType(other.type)} (${place}); a CNAME stands alone.`,
    );
  }

  #refuse(code: string, source: SourceLine, message: string): void {
    this.#report({ code, path: this.#path, message, source });
  }
}

function subject(rrset: ParsedRRset): string {
  return `${formatName(rrset.owner)} ${formatType(rrset.type)}`;
}

import type { Problem, SourceLine } from '../config/problem.ts';
import { GrowingInts } from './growing.ts';
import { formatName, isSubdomain, lowercaseOctet } from './name.ts';
import { octetKey } from './octet-key.ts';
import { canonicalRdata, LINEAR_SEARCH_LIMIT, octetsEqual } from './rdata/canonical.ts';
import { rdataKind } from './rdata/index.ts';
import { MAX_RRSET_LENGTH, RECORD_HEAD_LENGTH } from './rdata/kind.ts';
import {
  GatheredRRsets,
  ownerOf,
  type RRsetColumns,
  type RRsetValue,
  rdataLength,
  rdatasOf,
  recordCount,
  ttlSecondsOf,
  typeOf,
} from './rrset-columns.ts';
import { formatType, mayStandBesideCname, TYPE_CNAME, TYPE_DNAME, TYPE_NS, TYPE_SOA } from './type.ts';

/*
 * Gathers records into RRsets, and checks what only the whole zone can tell.
 *
 *     owners    open addressing by the owner in lower case: its first RRset + 1, or 0
 *     next      by RRset: another one of the same owner, or none
 *     rrsets    see rrset-columns.ts
 *     lines     by RRset: file number | line of its first record
 */

/** All records of one owner name and type, in the order of the file. */
export interface ParsedRRset extends RRsetValue {
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

/** What was gathered. */
export interface CollatedZone {
  readonly columns: RRsetColumns;
  readonly apex: Uint8Array | undefined;
  /** RRsets that are not in the zone and may not be used. */
  readonly outside: ReadonlySet<number>;
  /** Where the first record of an RRset stands. */
  readonly sourceOf: (rrset: number) => SourceLine;
}

/** RFC 6672 section 3: a server that does not synthesise from a DNAME would deny every name below it. */
export const DNAME_SENTENCE =
  'names below it are not redirected by this server yet; write a CNAME for each, or a wildcard CNAME.';

const NONE = -1;

/** Entries that the table of owners starts with; a power of two. */
const INITIAL_ENTRIES = 1024;

const LINE_WORDS = 2;

/** Collects the records of one zone. */
export class ZoneCollation {
  readonly #gathered: GatheredRRsets;
  readonly #next = new GrowingInts();
  readonly #lines = new GrowingInts();
  readonly #files: string[] = [];
  #owners = new Int32Array(INITIAL_ENTRIES);
  #ownerCount = 0;
  /** Canonical forms of the records of RRsets that have many. */
  readonly #seen = new Map<number, Set<string>>();
  readonly #report: (problem: Problem) => void;
  readonly #path: string;
  #lastOwner: Uint8Array | undefined;
  /** First RRset of the last owner. */
  #lastFirst = NONE;

  /** `path` is the path of every problem that is reported; `octets` about how long the text is. */
  constructor(path: string, report: (problem: Problem) => void, octets?: number) {
    this.#path = path;
    this.#report = report;
    this.#gathered = new GatheredRRsets(undefined, octets);
  }

  /** Adds a record; one that is there already is dropped without a word (RFC 2181 section 5). */
  add(record: ZoneRecord): void {
    const first = this.#firstAt(record.owner);
    let rrset = first;
    while (rrset !== NONE && this.#gathered.typeOf(rrset) !== record.type) rrset = this.#next.at(rrset);
    if (rrset === NONE) {
      this.#begin(record, first);
      return;
    }
    const columns = this.#gathered.view();
    const ttlSeconds = ttlSecondsOf(columns, rrset);
    if (ttlSeconds !== record.ttlSeconds) {
      const { file, line } = this.#sourceOf(rrset);
      const where = `${ttlSeconds} of its first record (${file}:${line})`;
      this.#refuse(
        'ttl-mismatch',
        record.source,
        `${subject(columns, rrset)} has TTL ${record.ttlSeconds} here and ${where}; all records of an RRset have one TTL.`,
      );
      return;
    }
    if (!this.#holds(columns, rrset, record.rdata)) this.#gathered.addRecord(rrset, record.rdata);
  }

  /** Checks the zone as a whole; returns its apex and the RRsets that may be used. */
  finish(file: string): CollatedZone {
    const columns = this.#gathered.view();
    const { count } = this.#gathered;
    const apex = this.#checkApex(columns, file);
    const outside = new Set<number>();
    for (let rrset = 0; rrset < count; rrset += 1) {
      if (!this.#checkPlace(columns, rrset, apex)) outside.add(rrset);
    }
    for (let rrset = 0; rrset < count; rrset += 1) {
      if (!outside.has(rrset)) this.#checkServable(columns, rrset);
    }
    for (let rrset = 0; rrset < count; rrset += 1) {
      if (typeOf(columns, rrset) === TYPE_CNAME) this.#checkCname(columns, rrset);
    }
    return { columns, apex, outside, sourceOf: (rrset) => this.#sourceOf(rrset) };
  }

  #begin({ owner, type, ttlSeconds, rdata, source }: ZoneRecord, first: number): void {
    const gathered = this.#gathered;
    const rrset =
      first === NONE
        ? gathered.addRRset(owner, type, ttlSeconds)
        : gathered.addRRsetBeside(first, type, ttlSeconds);
    gathered.addRecord(rrset, rdata);
    if (this.#files.at(-1) !== source.file) this.#files.push(source.file);
    this.#lines.push(this.#files.length - 1);
    this.#lines.push(source.line);
    this.#next.push(NONE);
    if (first === NONE) this.#enterOwner(rrset);
    else {
      let last = first;
      while (this.#next.at(last) !== NONE) last = this.#next.at(last);
      this.#next.put(last, rrset);
    }
    this.#lastOwner = owner;
    this.#lastFirst = first === NONE ? rrset : first;
  }

  #sourceOf(rrset: number): SourceLine {
    const row = LINE_WORDS * rrset;
    return { file: this.#files[this.#lines.at(row)] ?? '', line: this.#lines.at(row + 1) };
  }

  /** The owner's first RRset. */
  #firstAt(owner: Uint8Array): number {
    // Consecutive records mostly share one owner, as the same octets.
    if (owner === this.#lastOwner) return this.#lastFirst;
    const mask = this.#owners.length - 1;
    for (let entry = hashOf(owner, 0, owner.length) & mask; ; entry = (entry + 1) & mask) {
      const rrset = (this.#owners[entry] as number) - 1;
      if (rrset === NONE) return NONE;
      if (!this.#isOwner(rrset, owner)) continue;
      this.#lastOwner = owner;
      this.#lastFirst = rrset;
      return rrset;
    }
  }

  #isOwner(rrset: number, owner: Uint8Array): boolean {
    if (this.#gathered.ownerLength(rrset) !== owner.length) return false;
    const { octets } = this.#gathered;
    const at = this.#gathered.ownerAt(rrset);
    for (let i = 0; i < owner.length; i += 1) {
      if (lowercaseOctet(octets[at + i] as number) !== lowercaseOctet(owner[i] as number)) return false;
    }
    return true;
  }

  #enterOwner(rrset: number): void {
    this.#ownerCount += 1;
    if (2 * this.#ownerCount > this.#owners.length) {
      const before = this.#owners;
      this.#owners = new Int32Array(2 * before.length);
      for (const known of before) if (known !== 0) this.#putOwner(known - 1);
    }
    this.#putOwner(rrset);
  }

  #putOwner(rrset: number): void {
    const at = this.#gathered.ownerAt(rrset);
    const mask = this.#owners.length - 1;
    let entry = hashOf(this.#gathered.octets, at, this.#gathered.ownerLength(rrset)) & mask;
    while (this.#owners[entry] !== 0) entry = (entry + 1) & mask;
    this.#owners[entry] = rrset + 1;
  }

  #holds(columns: RRsetColumns, rrset: number, rdata: Uint8Array): boolean {
    const kind = rdataKind(typeOf(columns, rrset));
    const canonical = canonicalRdata(kind, rdata);
    let seen = this.#seen.get(rrset);
    if (seen === undefined) {
      const rdatas = rdatasOf(columns, rrset);
      if (rdatas.length < LINEAR_SEARCH_LIMIT) {
        return rdatas.some((known) => octetsEqual(canonicalRdata(kind, known), canonical));
      }
      seen = new Set(rdatas.map((known) => octetKey(canonicalRdata(kind, known))));
      this.#seen.set(rrset, seen);
    }
    const key = octetKey(canonical);
    if (seen.has(key)) return true;
    seen.add(key);
    return false;
  }

  #checkApex(columns: RRsetColumns, file: string): Uint8Array | undefined {
    const soas: number[] = [];
    for (let rrset = 0; rrset < this.#gathered.count; rrset += 1) {
      if (typeOf(columns, rrset) === TYPE_SOA) soas.push(rrset);
    }
    const [soa, ...others] = soas;
    if (soa === undefined) {
      this.#refuse(
        'no-soa',
        { file, line: 1 },
        'The zone has no SOA record; it needs exactly one, at its apex.',
      );
      return undefined;
    }
    const apex = ownerOf(columns, soa).slice();
    const apexName = formatName(apex);
    if (recordCount(columns, soa) > 1) {
      this.#refuse(
        'many-soas',
        this.#sourceOf(soa),
        `${apexName} has ${recordCount(columns, soa)} SOA records; a zone has exactly one.`,
      );
    }
    for (const other of others) {
      const sentence = `A second SOA record stands at ${formatName(ownerOf(columns, other))}; the zone's only one is at ${apexName}`;
      this.#refuse('many-soas', this.#sourceOf(other), `${sentence}, where the first was found.`);
    }
    if (!this.#hasApexNs(apex)) {
      this.#refuse(
        'no-apex-ns',
        this.#sourceOf(soa),
        `The apex ${apexName} has no NS record; it needs at least one.`,
      );
    }
    return apex;
  }

  #hasApexNs(apex: Uint8Array): boolean {
    let rrset = this.#firstAt(apex);
    while (rrset !== NONE && this.#gathered.typeOf(rrset) !== TYPE_NS) rrset = this.#next.at(rrset);
    return rrset !== NONE;
  }

  #checkPlace(columns: RRsetColumns, rrset: number, apex: Uint8Array | undefined): boolean {
    if (apex === undefined || isSubdomain(ownerOf(columns, rrset), apex)) return true;
    const sentence = `${subject(columns, rrset)} is outside the zone ${formatName(apex)}`;
    this.#refuse(
      'outside-zone',
      this.#sourceOf(rrset),
      `${sentence}; check the name's final dot and $ORIGIN.`,
    );
    return false;
  }

  /** What could be stored but not be answered would turn into a denial that the data exists. */
  #checkServable(columns: RRsetColumns, rrset: number): void {
    if (typeOf(columns, rrset) === TYPE_DNAME) {
      this.#refuse('unserved-type', this.#sourceOf(rrset), `${subject(columns, rrset)}: ${DNAME_SENTENCE}`);
    }
    const octets = rdataLength(columns, rrset) + RECORD_HEAD_LENGTH * recordCount(columns, rrset);
    if (octets > MAX_RRSET_LENGTH) {
      const sentence = `${subject(columns, rrset)} takes ${octets} octets and does not fit a message`;
      this.#refuse('rrset-too-large', this.#sourceOf(rrset), `${sentence}; at most ${MAX_RRSET_LENGTH} do.`);
    }
  }

  #checkCname(columns: RRsetColumns, cname: number): void {
    let other = this.#firstAt(ownerOf(columns, cname));
    while (other !== NONE && (other === cname || mayStandBesideCname(typeOf(columns, other)))) {
      other = this.#next.at(other);
    }
    const owner = formatName(ownerOf(columns, cname));
    if (recordCount(columns, cname) > 1) {
      const sentence = `${owner} has ${recordCount(columns, cname)} CNAME records`;
      this.#refuse('many-cnames', this.#sourceOf(cname), `${sentence}; a name has one canonical name.`);
    }
    if (other === NONE) return;
    const { file, line } = this.#sourceOf(other);
    this.#refuse(
      'cname-and-other-data',
      this.#sourceOf(cname),
      `${owner} has a CNAME record and also ${formatType(typeOf(columns, other))} (${file}:${line}); a CNAME stands alone.`,
    );
  }

  #refuse(code: string, source: SourceLine, message: string): void {
    this.#report({ code, path: this.#path, message, source });
  }
}

/** FNV-1a over the name in lower case, mixed because the table uses the low bits. */
function hashOf(octets: Uint8Array, at: number, length: number): number {
  let hash = 0x811c9dc5;
  for (let i = at; i < at + length; i += 1) {
    hash = Math.imul(hash ^ lowercaseOctet(octets[i] as number), 0x01000193);
  }
  return hash ^ (hash >>> 15);
}

function subject(columns: RRsetColumns, rrset: number): string {
  return `${formatName(ownerOf(columns, rrset))} ${formatType(typeOf(columns, rrset))}`;
}

import { GrowingInts, GrowingOctets } from './growing.ts';
import { MAX_TTL_SECONDS } from './ttl.ts';

/**
 * Many RRsets without an object for each: a zone of a million takes some 60 octets each, where objects take a
 * kilobyte. Everything is found by offsets, and the three arrays go to another thread as they are.
 *
 *     rrsets    RRSET_WORDS each   owner at | type, owner's length << 16 | TTL | first record | last record | records
 *     records   RECORD_WORDS each  rdata at | rdata's length | the RRset's next record, or NO_RECORD
 *     octets    owners, as uncompressed wire names, and rdata with its names uncompressed, in any order
 */
export interface RRsetColumns {
  readonly rrsets: Int32Array;
  readonly records: Int32Array;
  readonly octets: Uint8Array;
}

/** All records of one owner name and type. */
export interface RRsetValue {
  readonly owner: Uint8Array;
  readonly type: number;
  readonly ttlSeconds: number;
  /** Wire form, names in it uncompressed. */
  readonly rdatas: readonly Uint8Array[];
}

const RRSET_WORDS = 6;
const OWNER_AT = 0;
const TYPE_AND_OWNER_LENGTH = 1;
const TTL = 2;
const FIRST_RECORD = 3;
const LAST_RECORD = 4;
const RECORD_COUNT = 5;

const RECORD_WORDS = 3;
const RDATA_AT = 0;
const RDATA_LENGTH = 1;
const NEXT_RECORD = 2;

const NO_RECORD = -1;

/** Stands for a TTL that is none. */
const BAD_TTL = -1;

/** How many RRsets there are. */
export function rrsetCount({ rrsets }: RRsetColumns): number {
  return rrsets.length / RRSET_WORDS;
}

/** Where in the octets the owner of an RRset stands. */
export function ownerAt(columns: RRsetColumns, rrset: number): number {
  return wordAt(columns.rrsets, RRSET_WORDS * rrset + OWNER_AT);
}

export function ownerLength(columns: RRsetColumns, rrset: number): number {
  return wordAt(columns.rrsets, RRSET_WORDS * rrset + TYPE_AND_OWNER_LENGTH) >>> 16;
}

export function typeOf(columns: RRsetColumns, rrset: number): number {
  return wordAt(columns.rrsets, RRSET_WORDS * rrset + TYPE_AND_OWNER_LENGTH) & 0xffff;
}

/** Negative for a TTL that is none. */
export function ttlSecondsOf(columns: RRsetColumns, rrset: number): number {
  return wordAt(columns.rrsets, RRSET_WORDS * rrset + TTL);
}

export function recordCount(columns: RRsetColumns, rrset: number): number {
  return wordAt(columns.rrsets, RRSET_WORDS * rrset + RECORD_COUNT);
}

/** The owner of an RRset: a view of the octets. */
export function ownerOf(columns: RRsetColumns, rrset: number): Uint8Array {
  const at = ownerAt(columns, rrset);
  return columns.octets.subarray(at, at + ownerLength(columns, rrset));
}

/** The records of an RRset: views of the octets. */
export function rdatasOf({ rrsets, records, octets }: RRsetColumns, rrset: number): Uint8Array[] {
  const rdatas: Uint8Array[] = [];
  let record = wordAt(rrsets, RRSET_WORDS * rrset + FIRST_RECORD);
  while (record !== NO_RECORD) {
    const at = wordAt(records, RECORD_WORDS * record + RDATA_AT);
    rdatas.push(octets.subarray(at, at + wordAt(records, RECORD_WORDS * record + RDATA_LENGTH)));
    record = wordAt(records, RECORD_WORDS * record + NEXT_RECORD);
  }
  return rdatas;
}

/** Octets of the rdata of all its records. */
export function rdataLength({ rrsets, records }: RRsetColumns, rrset: number): number {
  let octets = 0;
  let record = wordAt(rrsets, RRSET_WORDS * rrset + FIRST_RECORD);
  while (record !== NO_RECORD) {
    octets += wordAt(records, RECORD_WORDS * record + RDATA_LENGTH);
    record = wordAt(records, RECORD_WORDS * record + NEXT_RECORD);
  }
  return octets;
}

/** One RRset as an object. */
export function rrsetValue(columns: RRsetColumns, rrset: number): RRsetValue {
  return {
    owner: ownerOf(columns, rrset),
    type: typeOf(columns, rrset),
    ttlSeconds: ttlSecondsOf(columns, rrset),
    rdatas: rdatasOf(columns, rrset),
  };
}

/** Columns of RRsets that are few, or at hand as objects. */
export function columnsOf(rrsets: Iterable<RRsetValue>): RRsetColumns {
  const gathered = new GatheredRRsets();
  for (const { owner, type, ttlSeconds, rdatas } of rrsets) {
    const rrset = gathered.addRRset(owner, type, ttlSeconds);
    for (const rdata of rdatas) gathered.addRecord(rrset, rdata);
  }
  return gathered.finish();
}

/** The RRsets of several columns, one after the other. */
export function joinColumns(parts: readonly RRsetColumns[]): RRsetColumns {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const rrsets = new Int32Array(sumOf(parts, (part) => part.rrsets.length));
  const records = new Int32Array(sumOf(parts, (part) => part.records.length));
  const octets = new Uint8Array(sumOf(parts, (part) => part.octets.length));
  let rrsetsEnd = 0;
  let recordsEnd = 0;
  let octetsEnd = 0;
  for (const part of parts) {
    rrsets.set(part.rrsets, rrsetsEnd);
    records.set(part.records, recordsEnd);
    octets.set(part.octets, octetsEnd);
    const firstRecord = recordsEnd / RECORD_WORDS;
    for (let at = rrsetsEnd; at < rrsetsEnd + part.rrsets.length; at += RRSET_WORDS) {
      shift(rrsets, at + OWNER_AT, octetsEnd);
      shift(rrsets, at + FIRST_RECORD, firstRecord);
      shift(rrsets, at + LAST_RECORD, firstRecord);
    }
    for (let at = recordsEnd; at < recordsEnd + part.records.length; at += RECORD_WORDS) {
      shift(records, at + RDATA_AT, octetsEnd);
      shift(records, at + NEXT_RECORD, firstRecord);
    }
    rrsetsEnd += part.rrsets.length;
    recordsEnd += part.records.length;
    octetsEnd += part.octets.length;
  }
  return { rrsets, records, octets };
}

/** Gathers RRsets, whose records may come in any order. */
export class GatheredRRsets {
  readonly #rrsets: GrowingInts;
  readonly #records: GrowingInts;
  readonly #octets: GrowingOctets;

  /** `rrsets` and `octets`: how many there will be, as far as that is known. */
  constructor(rrsets?: number, octets?: number) {
    this.#rrsets = new GrowingInts(rrsets === undefined ? undefined : RRSET_WORDS * rrsets);
    this.#records = new GrowingInts(rrsets === undefined ? undefined : RECORD_WORDS * rrsets);
    this.#octets = new GrowingOctets(octets);
  }

  /** Begins an RRset without records and returns its number. */
  addRRset(owner: Uint8Array, type: number, ttlSeconds: number): number {
    const start = this.#octets.length;
    this.#octets.append(owner, 0, owner.length);
    return this.#addAt(start, owner.length, type, ttlSeconds);
  }

  /** The same at the owner of another RRset. */
  addRRsetBeside(other: number, type: number, ttlSeconds: number): number {
    const columns = this.view();
    return this.#addAt(ownerAt(columns, other), ownerLength(columns, other), type, ttlSeconds);
  }

  addRecord(rrset: number, rdata: Uint8Array): void {
    const record = this.#records.length / RECORD_WORDS;
    this.#records.push(this.#octets.length);
    this.#records.push(rdata.length);
    this.#records.push(NO_RECORD);
    this.#octets.append(rdata, 0, rdata.length);
    const row = RRSET_WORDS * rrset;
    const last = this.#rrsets.at(row + LAST_RECORD);
    if (last === NO_RECORD) this.#rrsets.put(row + FIRST_RECORD, record);
    else this.#records.put(RECORD_WORDS * last + NEXT_RECORD, record);
    this.#rrsets.put(row + LAST_RECORD, record);
    this.#rrsets.put(row + RECORD_COUNT, this.#rrsets.at(row + RECORD_COUNT) + 1);
  }

  get count(): number {
    return this.#rrsets.length / RRSET_WORDS;
  }

  /** What is there so far, without copying it; valid until the next addition. */
  view(): RRsetColumns {
    return { rrsets: this.#rrsets.view(), records: this.#records.view(), octets: this.#octets.view() };
  }

  /** Where the octets stand, for reading many owners; valid until the next addition. */
  get octets(): Uint8Array {
    return this.#octets.octets;
  }

  ownerAt(rrset: number): number {
    return this.#rrsets.at(RRSET_WORDS * rrset + OWNER_AT);
  }

  ownerLength(rrset: number): number {
    return this.#rrsets.at(RRSET_WORDS * rrset + TYPE_AND_OWNER_LENGTH) >>> 16;
  }

  typeOf(rrset: number): number {
    return this.#rrsets.at(RRSET_WORDS * rrset + TYPE_AND_OWNER_LENGTH) & 0xffff;
  }

  /** All of it, in arrays without room to grow. */
  finish(): RRsetColumns {
    const { rrsets, records, octets } = this.view();
    return { rrsets: rrsets.slice(), records: records.slice(), octets: octets.slice() };
  }

  #addAt(owner: number, length: number, type: number, ttlSeconds: number): number {
    const rrset = this.count;
    const isTtl = ttlSeconds >= 0 && ttlSeconds <= MAX_TTL_SECONDS;
    this.#rrsets.push(owner);
    this.#rrsets.push(type | (length << 16));
    this.#rrsets.push(isTtl ? ttlSeconds : BAD_TTL);
    this.#rrsets.push(NO_RECORD);
    this.#rrsets.push(NO_RECORD);
    this.#rrsets.push(0);
    return rrset;
  }
}

function sumOf(parts: readonly RRsetColumns[], lengthOf: (part: RRsetColumns) => number): number {
  return parts.reduce((sum, part) => sum + lengthOf(part), 0);
}

function shift(words: Int32Array, at: number, by: number): void {
  const word = wordAt(words, at);
  if (word !== NO_RECORD) words[at] = word + by;
}

function wordAt(words: Int32Array, at: number): number {
  return words[at] as number;
}

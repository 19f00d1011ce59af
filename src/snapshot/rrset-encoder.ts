import type { GrowingInts, GrowingOctets } from '../dns/growing.ts';
import { createHashedName, type HashedName } from '../dns/hashed-name.ts';
import { type RdataName, rdataKind } from '../dns/rdata/index.ts';
import { MAX_RRSET_LENGTH } from '../dns/rdata/kind.ts';
import { CLASS_IN, TYPE_NS } from '../dns/type.ts';
import { NONE, RRSET_WORDS } from './zone-image.ts';

/** A compression pointer to the question's name. */
const POINTER_TO_QUESTION = 0xc00c;

interface RRsetUnderWay {
  readonly owner: number;
  readonly type: number;
  readonly ttlSeconds: number;
  /** Where its octets begin. */
  readonly start: number;
  /** Pairs for additional data: those of names at or below a delegation's own owner, and all others. */
  readonly inDomain: number[];
  readonly others: number[];
}

/** The names of a zone, as far as records refer to them. */
export interface NamesInZone {
  readonly apex: HashedName;
  /** Reads an uncompressed wire name; false where it is none or lies outside the zone. */
  readInZone(name: HashedName, wire: Uint8Array, start: number, end: number): boolean;
  /** The node of a name in the zone; `NONE` where it has none. */
  find(name: HashedName): number;
  /** The zone cut at or above a node; `NONE` for none. */
  cutOf(node: number): number;
}

/** Where encoded RRsets go. */
export interface EncodedRRsets {
  readonly octets: GrowingOctets;
  /** Where in the image the first of `octets` stands. */
  readonly octetsAt: number;
  /** RRSET_WORDS for each RRset, in the order of encoding. */
  readonly rows: GrowingInts;
  readonly lists: GrowingInts;
  /** Hashes of the names in the zone whose addresses go with some RRset, whether they exist or not. */
  readonly targets: GrowingInts;
}

/** Encodes RRsets as an image holds them; see the drawing in `zone-image.ts`. */
export class RRsetEncoder {
  readonly encoded: EncodedRRsets;
  readonly #octets: GrowingOctets;
  readonly #names: NamesInZone;
  readonly #name = createHashedName();

  constructor(names: NamesInZone, encoded: EncodedRRsets) {
    this.#names = names;
    this.encoded = encoded;
    this.#octets = encoded.octets;
  }

  /** Encodes the RRset of the node `owner` and returns its number; `NONE` where it is too large to be sent. */
  encode(owner: number, type: number, ttlSeconds: number, rdatas: readonly Uint8Array[]): number {
    const { rows, lists, octetsAt } = this.encoded;
    const start = this.#octets.length;
    const list = lists.length;
    const number = rows.length / RRSET_WORDS;
    const rrset: RRsetUnderWay = { owner, type, ttlSeconds, start, inDomain: [], others: [] };
    // The counts, as soon as they are known.
    lists.push(0);
    for (const rdata of rdatas) {
      this.#encodeRecord(rrset, rdata);
      if (this.#octets.length - start > MAX_RRSET_LENGTH) {
        this.#octets.truncate(start);
        lists.truncate(list);
        return NONE;
      }
    }
    const { inDomain, others } = rrset;
    const patchCount = lists.length - list - 1;
    for (const word of inDomain) lists.push(word);
    for (const word of others) lists.push(word);
    lists.put(list, patchCount | (((inDomain.length + others.length) / 2) << 16));
    const listed = lists.length > list + 1;
    if (!listed) lists.truncate(list);
    rows.push(type | (rdatas.length << 16));
    rows.push(octetsAt + start);
    rows.push(this.#octets.length - start);
    rows.push(listed ? list : NONE);
    return number;
  }

  #encodeRecord(rrset: RRsetUnderWay, rdata: Uint8Array): void {
    const octets = this.#octets;
    octets.pushUint16(POINTER_TO_QUESTION);
    octets.pushUint16(rrset.type);
    octets.pushUint16(CLASS_IN);
    octets.pushUint32(rrset.ttlSeconds);
    octets.pushUint16(0);
    const rdataStart = octets.length;
    let copied = 0;
    for (const name of rdataKind(rrset.type).names(rdata)) {
      octets.append(rdata, copied, name.offset);
      copied = name.offset + name.length;
      this.#encodeName(rrset, rdata, name);
    }
    octets.append(rdata, copied, rdata.length);
    octets.putUint16(rdataStart - 2, octets.length - rdataStart);
  }

  #encodeName(
    rrset: RRsetUnderWay,
    rdata: Uint8Array,
    { offset, length, compressible, additional }: RdataName,
  ): void {
    const names = this.#names;
    const end = offset + length;
    const inZone = names.readInZone(this.#name, rdata, offset, end);
    if (inZone && additional) {
      this.encoded.targets.push(this.#name.suffixHashes[0] as number);
      this.#addAdditional(rrset, names.find(this.#name));
    }
    // A pointer to the root would be longer than the root.
    if (!inZone || !compressible || names.apex.length === 1) {
      this.#octets.append(rdata, offset, end);
      return;
    }
    this.#octets.append(rdata, offset, end - names.apex.length);
    this.encoded.lists.push(this.#octets.length - rrset.start);
    this.#octets.pushUint16(POINTER_TO_QUESTION);
  }

  /** The name that is about to be encoded is that of a node. */
  #addAdditional({ owner, type, start, inDomain, others }: RRsetUnderWay, node: number): void {
    if (node === NONE || contains(inDomain, node) || contains(others, node)) return;
    const cut = this.#names.cutOf(node);
    // What lies below a cut is the delegated zone's to tell, save where a resolver needs it to get there.
    if (cut !== NONE && type !== TYPE_NS) return;
    const offset = this.#octets.length - start;
    if (cut === owner) inDomain.push(node, (offset << 1) | 1);
    else others.push(node, offset << 1);
  }
}

function contains(pairs: readonly number[], node: number): boolean {
  for (let i = 0; i < pairs.length; i += 2) if (pairs[i] === node) return true;
  return false;
}

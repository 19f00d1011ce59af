import { createHashedName } from '../dns/hashed-name.ts';
import { type RdataName, rdataKind } from '../dns/rdata/index.ts';
import { MAX_RRSET_LENGTH } from '../dns/rdata/kind.ts';
import { CLASS_IN, TYPE_NS } from '../dns/type.ts';
import { GrowingInts, type GrowingOctets } from './growing.ts';
import type { NameTable } from './name-table.ts';
import { NONE } from './zone-image.ts';

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

/** Encodes RRsets as an image holds them; see the drawing in `zone-image.ts`. */
export class RRsetEncoder {
  /** RRSET_WORDS for each RRset, in the order of encoding. */
  readonly rows = new GrowingInts();
  readonly lists = new GrowingInts();
  readonly #octets: GrowingOctets;
  readonly #names: NameTable;
  readonly #cuts: Int32Array;
  readonly #name = createHashedName();
  #count = 0;

  constructor(names: NameTable, octets: GrowingOctets, cuts: Int32Array) {
    this.#names = names;
    this.#octets = octets;
    this.#cuts = cuts;
  }

  /** Encodes the RRset of the node `owner` and returns its number; `NONE` where it is too large to be sent. */
  encode(owner: number, type: number, ttlSeconds: number, rdatas: readonly Uint8Array[]): number {
    const start = this.#octets.length;
    const list = this.lists.length;
    const rrset: RRsetUnderWay = { owner, type, ttlSeconds, start, inDomain: [], others: [] };
    for (const rdata of rdatas) {
      this.#encodeRecord(rrset, rdata);
      if (this.#octets.length - start > MAX_RRSET_LENGTH) {
        this.#octets.truncate(start);
        this.lists.truncate(list);
        return NONE;
      }
    }
    const { inDomain, others } = rrset;
    const patchCount = this.lists.length - list;
    for (const word of inDomain) this.lists.push(word);
    for (const word of others) this.lists.push(word);
    this.rows.push(type | (rdatas.length << 16));
    this.rows.push(start);
    this.rows.push(this.#octets.length - start);
    this.rows.push(list);
    this.rows.push(patchCount | (((inDomain.length + others.length) / 2) << 16));
    return this.#count++;
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
    if (inZone && additional) this.#addAdditional(rrset, names.find(this.#name));
    // A pointer to the root would be longer than the root.
    if (!inZone || !compressible || names.apex.length === 1) {
      this.#octets.append(rdata, offset, end);
      return;
    }
    this.#octets.append(rdata, offset, end - names.apex.length);
    this.lists.push(this.#octets.length - rrset.start);
    this.#octets.pushUint16(POINTER_TO_QUESTION);
  }

  /** The name that is about to be encoded is that of a node. */
  #addAdditional({ owner, type, start, inDomain, others }: RRsetUnderWay, node: number): void {
    if (node === NONE || contains(inDomain, node) || contains(others, node)) return;
    const cut = this.#cuts[node] as number;
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

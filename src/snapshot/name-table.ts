import { GrowingInts, type GrowingOctets } from '../dns/growing.ts';
import { BAD_NAME, createHashedName, type HashedName, readPlainName } from '../dns/hashed-name.ts';
import { APEX_NODE, NONE } from './zone-image.ts';

/** Entries that a new table starts with; a power of two. */
const INITIAL_ENTRIES = 256;

const ASTERISK = 0x2a;

/**
 * The nodes of a zone image while it is compiled: every owner name, and every name between it and the apex.
 * The columns are parallel, by node; see the drawing in `zone-image.ts`.
 */
export class NameTable {
  readonly apex: HashedName = createHashedName();
  readonly parents: GrowingInts;
  /** Where a node's labels stand in the table's own octets. */
  readonly labels: GrowingInts;
  readonly labelLengths: GrowingInts;
  readonly wildcards: GrowingInts;
  readonly #hashes: GrowingInts;
  readonly #octets: GrowingOctets;
  #entries = new Int32Array(2 * INITIAL_ENTRIES);
  #depth = 0;

  /** `octets`: where labels are gathered; `nodes`: about how many there will be. */
  constructor(apex: Uint8Array, octets: GrowingOctets, nodes: number) {
    this.parents = new GrowingInts(nodes);
    this.labels = new GrowingInts(nodes);
    this.labelLengths = new GrowingInts(nodes);
    this.wildcards = new GrowingInts(nodes);
    this.#hashes = new GrowingInts(nodes);
    readPlainName(this.apex, apex, 0, apex.length);
    this.#octets = octets;
    this.#create(this.apex, 0, NONE, octets.length);
  }

  get nodeCount(): number {
    return this.parents.length;
  }

  /** Labels below the apex of the deepest node. */
  get depth(): number {
    return this.#depth;
  }

  /** The pairs of the image's name table. */
  get entries(): Int32Array {
    return this.#entries;
  }

  /** Reads an uncompressed wire name; false where it is none or lies outside the zone. */
  readInZone(name: HashedName, wire: Uint8Array, start: number, end: number): boolean {
    if (readPlainName(name, wire, start, end) === BAD_NAME) return false;
    const label = name.labelCount - this.apex.labelCount;
    if (label < 0 || name.suffixHashes[label] !== this.apex.suffixHashes[0]) return false;
    const apexStart = name.labelOffsets[label] as number;
    if (name.length - apexStart !== this.apex.length) return false;
    for (let i = 0; i < this.apex.length; i++) {
      if (name.octets[apexStart + i] !== this.apex.octets[i]) return false;
    }
    return true;
  }

  /** The node of a name in the zone; `NONE` where it has none. */
  find(name: HashedName): number {
    return this.#findSuffix(name, 0);
  }

  /** The node of a name in the zone, made where needed, with all between it and the apex. */
  add(name: HashedName): number {
    const found = this.#findSuffix(name, 0);
    if (found !== NONE) return found;
    const labelCount = name.labelCount - this.apex.labelCount;
    this.#depth = Math.max(this.#depth, labelCount);
    // The labels of the new ancestors are the ends of this name's own.
    const at = this.#octets.length;
    this.#octets.append(name.octets, 0, name.length - this.apex.length);
    let node = APEX_NODE;
    for (let label = labelCount - 1; label >= 0; label--) {
      const child = this.#findSuffix(name, label);
      node =
        child === NONE ? this.#create(name, label, node, at + (name.labelOffsets[label] as number)) : child;
    }
    return node;
  }

  #findSuffix(name: HashedName, label: number): number {
    const hash = name.suffixHashes[label] as number;
    const start = name.labelOffsets[label] as number;
    const length = name.length - this.apex.length - start;
    const { octets } = this.#octets;
    const mask = this.#entries.length / 2 - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const node = (this.#entries[2 * slot + 1] as number) - 1;
      if (node === NONE) return NONE;
      if (this.#entries[2 * slot] !== hash || this.labelLengths.at(node) !== length) continue;
      const labels = this.labels.at(node);
      let same = 0;
      while (same < length && octets[labels + same] === name.octets[start + same]) same++;
      if (same === length) return node;
    }
  }

  #create(name: HashedName, label: number, parent: number, labels: number): number {
    const node = this.parents.length;
    const start = name.labelOffsets[label] as number;
    this.parents.push(parent);
    this.labels.push(labels);
    this.labelLengths.push(name.length - this.apex.length - start);
    this.wildcards.push(NONE);
    this.#hashes.push(name.suffixHashes[label] as number);
    if (parent !== NONE && name.octets[start] === 1 && name.octets[start + 1] === ASTERISK) {
      this.wildcards.put(parent, node);
    }
    // Half full at most, so that a search for an absent name ends soon.
    if (4 * this.nodeCount > this.#entries.length) this.#grow();
    else this.#enter(node);
    return node;
  }

  /** Makes the table so large that it is half full at most with so many nodes. */
  reserve(nodes: number): void {
    while (4 * nodes > this.#entries.length) this.#grow();
  }

  #grow(): void {
    this.#entries = new Int32Array(2 * this.#entries.length);
    for (let node = 0; node < this.nodeCount; node++) this.#enter(node);
  }

  #enter(node: number): void {
    const hash = this.#hashes.at(node);
    const mask = this.#entries.length / 2 - 1;
    let slot = hash & mask;
    while (this.#entries[2 * slot + 1] !== 0) slot = (slot + 1) & mask;
    this.#entries[2 * slot] = hash;
    this.#entries[2 * slot + 1] = node + 1;
  }
}

/** Whether the labels of a node begin with the asterisk label (RFC 4592 section 2.1.1). */
export function isWildcard(names: NameTable, node: number, octets: GrowingOctets): boolean {
  const view = octets.octets;
  const labels = names.labels.at(node);
  return names.labelLengths.at(node) > 0 && view[labels] === 1 && view[labels + 1] === ASTERISK;
}

import { BAD_NAME, createHashedName, type HashedName, readPlainName } from '../dns/hashed-name.ts';
import type { ZoneRoom } from './encoded-zone.ts';
import { putLink, putNode, putRRsets } from './node-row.ts';
import type { EncodedRRsets, NamesInZone } from './rrset-encoder.ts';
import * as image from './zone-image.ts';

const ASTERISK = 0x2a;

/** The nodes and the name table of an image that is being edited. */
export class EditedNodes implements NamesInZone {
  readonly apex: HashedName = createHashedName();
  readonly #zone: image.ZoneImage;
  readonly #room: ZoneRoom;
  readonly #sections: Pick<EncodedRRsets, 'octets' | 'rows' | 'lists'>;
  readonly #targets: ReadonlySet<number>;
  #nodeCount: number;
  #depth: number;

  constructor(
    zone: image.ZoneImage,
    room: ZoneRoom,
    sections: Pick<EncodedRRsets, 'octets' | 'rows' | 'lists'>,
    targets: ReadonlySet<number>,
  ) {
    this.#zone = zone;
    this.#room = room;
    this.#sections = sections;
    this.#targets = targets;
    this.#nodeCount = zone.nodeCount;
    this.#depth = zone.depth;
    readPlainName(this.apex, zone.octets, zone.apexAt, zone.apexAt + zone.apexLength);
  }

  readInZone(name: HashedName, wire: Uint8Array, start: number, end: number): boolean {
    if (readPlainName(name, wire, start, end) === BAD_NAME) return false;
    return this.#isInZone(name);
  }

  find(name: HashedName): number {
    return image.findNode(this.#zone, name, 0);
  }

  /** Nothing that is edited lies at or below a zone cut, but records may refer to what does. */
  cutOf(node: number): number {
    return image.cutAbove(this.#zone, node);
  }

  /** Makes the name's node, with all between it and the apex, where it has none; false where that is no edit. */
  add(name: HashedName): boolean {
    if (!this.#isInZone(name)) return false;
    const found = this.find(name);
    if (found !== image.NONE) return this.#isOurs(found);
    const labelCount = name.labelCount - this.apex.labelCount;
    // The labels of the new ancestors are the ends of this name's own.
    const { octets } = this.#sections;
    const at = octets.length;
    octets.append(name.octets, 0, name.length - this.apex.length);
    let node = image.APEX_NODE;
    for (let label = labelCount - 1; label >= 0; label--) {
      const child = image.findNode(this.#zone, name, label);
      const next = child === image.NONE ? this.#create(name, label, node, at) : child;
      if (next === image.NONE || image.cutAbove(this.#zone, next) !== image.NONE) return false;
      node = next;
    }
    this.#depth = Math.max(this.#depth, labelCount);
    return true;
  }

  /** Takes the RRsets of a name away, and the name with them where nothing is below; false where that is no edit. */
  remove(name: HashedName): boolean {
    if (!this.#isInZone(name)) return false;
    let node = this.find(name);
    if (node === image.NONE) return true;
    if (!this.#isOurs(node)) return false;
    this.putRRsets(node, this.#sections.rows.length / image.RRSET_WORDS);
    for (let label = 0; node !== image.APEX_NODE; label++) {
      if (this.#room.children[node] !== 0 || image.nodeRRsetCount(this.#zone, node) > 0) return true;
      if (image.steeredAt(this.#zone, node) !== image.NONE) return true;
      if (this.#targets.has(name.suffixHashes[label] as number)) return false;
      node = this.#takeOut(name, label, node);
    }
    return true;
  }

  /** Says which RRsets a node has: those that were encoded last, from number `first` on. */
  putRRsets(node: number, first: number): void {
    putRRsets(this.#zone.words, node, this.#sections.rows, first);
  }

  /** Writes into the header what has changed. */
  finish(): void {
    const { words } = this.#zone;
    words[image.ZONE_NODE_COUNT] = this.#nodeCount;
    words[image.ZONE_DEPTH] = this.#depth;
  }

  #isInZone(name: HashedName): boolean {
    const label = name.labelCount - this.apex.labelCount;
    if (name.length === 0 || label < 0) return false;
    const start = name.labelOffsets[label] as number;
    if (name.length - start !== this.apex.length) return false;
    for (let i = 0; i < this.apex.length; i++) {
      if (name.octets[start + i] !== this.apex.octets[i]) return false;
    }
    return true;
  }

  #isOurs(node: number): boolean {
    return (
      image.cutAbove(this.#zone, node) === image.NONE && image.steeredAt(this.#zone, node) === image.NONE
    );
  }

  /** The new node; `NONE` where there is no room, or where other RRsets would have to refer to it from now on. */
  #create(name: HashedName, label: number, parent: number, labels: number): number {
    const hash = name.suffixHashes[label] as number;
    const node = this.#nodeCount;
    if (node === this.#room.parents.length || this.#targets.has(hash)) return image.NONE;
    this.#nodeCount += 1;
    const { words } = this.#zone;
    const start = name.labelOffsets[label] as number;
    putNode(words, node, name.length - this.apex.length - start, labels + start);
    this.#room.parents[node] = parent;
    this.#room.children[node] = 0;
    this.#countChild(parent, 1);
    if (isAsterisk(name, label)) this.#putWildcard(parent, node);
    this.#enter(hash, node);
    return node;
  }

  /** Takes a node out of the name table and returns the node above; its row stays behind, unused. */
  #takeOut(name: HashedName, label: number, node: number): number {
    const parent = this.#room.parents[node] as number;
    this.#countChild(parent, -1);
    if (isAsterisk(name, label)) this.#putWildcard(parent, image.NONE);
    this.#leave(name.suffixHashes[label] as number, node);
    return parent;
  }

  #putWildcard(parent: number, node: number): void {
    putLink(this.#zone.words, parent, this.#sections.lists, image.LINK_WILDCARD, node);
  }

  #countChild(parent: number, by: 1 | -1): void {
    this.#room.children[parent] = (this.#room.children[parent] as number) + by;
  }

  #enter(hash: number, node: number): void {
    const { words, table, tableMask } = this.#zone;
    let slot = hash & tableMask;
    while (words[table + 2 * slot + 1] !== 0) slot = (slot + 1) & tableMask;
    words[table + 2 * slot] = hash;
    words[table + 2 * slot + 1] = node + 1;
  }

  /** Empties the node's entry, and moves up those behind that would not be found past an empty one. */
  #leave(hash: number, node: number): void {
    const { words, table, tableMask } = this.#zone;
    let free = hash & tableMask;
    while (words[table + 2 * free + 1] !== node + 1) free = (free + 1) & tableMask;
    for (let slot = (free + 1) & tableMask; ; slot = (slot + 1) & tableMask) {
      const entry = table + 2 * slot;
      if (words[entry + 1] === 0) break;
      const home = (words[entry] as number) & tableMask;
      // An entry may move where its search passes the free place on its way: not from behind its home.
      if (((slot - home) & tableMask) < ((slot - free) & tableMask)) continue;
      words[table + 2 * free] = words[entry] as number;
      words[table + 2 * free + 1] = words[entry + 1] as number;
      free = slot;
    }
    words[table + 2 * free] = 0;
    words[table + 2 * free + 1] = 0;
  }
}

function isAsterisk(name: HashedName, label: number): boolean {
  const start = name.labelOffsets[label] as number;
  return name.octets[start] === 1 && name.octets[start + 1] === ASTERISK;
}

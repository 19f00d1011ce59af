import type { GrowingInts } from '../dns/growing.ts';
import type { AllocateImage } from './allocate-image.ts';
import type { NameTable } from './name-table.ts';
import type { EncodedRRsets } from './rrset-encoder.ts';
import * as image from './zone-image.ts';

/** All sections of an image, each complete. */
interface EncodedSections {
  readonly names: NameTable;
  /** The image up to the end of its nodes, see `CompiledNodes`. */
  readonly nodes: Int32Array;
  readonly encoded: EncodedRRsets;
  readonly steered: GrowingInts;
  readonly pools: GrowingInts;
  /** Where in the octets the apex stands. */
  readonly apexAt: number;
  /** RRset number of the SOA of negative answers. */
  readonly negativeSoa: number;
}

/** Part of each section that is left free, and the least of it. */
export interface Room {
  readonly share: number;
  readonly octets: number;
  /** Nodes, RRsets of nodes with several, and words of lists. */
  readonly rows: number;
}

/** An image that is never edited takes as little memory as it can. */
export const NO_ROOM: Room = { share: 0, octets: 0, rows: 0 };

/** An eighth: ten thousand edits of a zone of 100,000 RRsets, which is then compiled anew in a fraction of a second. */
export const ROOM_FOR_EDITS: Room = { share: 1 / 8, octets: 65_536, rows: 1024 };

/**
 * What `ZoneEditor` needs beyond the image. The columns are by node, with room for more of them.
 *
 *     parents    the node above, `NONE` for the apex
 *     children   how many nodes are right below
 *     targets    hashes of names in the zone whose addresses go with RRsets of other names
 */
export interface ZoneRoom {
  readonly parents: Int32Array;
  readonly children: Int32Array;
  readonly targets: Int32Array;
  /** How far the sections that grow are filled: up to which octet of the image, RRsets, words of lists. */
  readonly octets: number;
  readonly rrsets: number;
  readonly lists: number;
}

const WORD_OCTETS = Int32Array.BYTES_PER_ELEMENT;

/** The sections of an image, ready to be laid one behind the other. */
export class EncodedZone {
  readonly #sections: EncodedSections;
  readonly #room: Room;
  readonly #nodeRoom: number;

  constructor(sections: EncodedSections, room: Room) {
    this.#sections = sections;
    this.#room = room;
    this.#nodeRoom = nodeRoom(sections.names.nodeCount, room);
  }

  /** Lays the sections one behind the other, each with its room behind it. */
  assemble(allocate: AllocateImage): SharedArrayBuffer {
    const { names, nodes, encoded, steered, pools } = this.#sections;
    const { octets, octetsAt, rows, lists } = encoded;
    const room = this.#room;
    names.reserve(this.#nodeRoom);
    const table = wholePairs(octetsAt + roomed(octets.length, room.octets, room));
    const rrsetsAt = table + names.entries.length;
    // Any node may come to have several RRsets.
    const rrsetRoom = rows.length / image.RRSET_WORDS + this.#nodeRoom - names.nodeCount;
    const listsAt = rrsetsAt + image.RRSET_WORDS * rrsetRoom;
    const steeredAt = listsAt + roomed(lists.length, room.rows, room);
    const poolsAt = steeredAt + steered.length;
    const buffer = allocate((poolsAt + pools.length) * WORD_OCTETS);
    const words = new Int32Array(buffer);
    words.set(nodes);
    new Uint8Array(buffer).set(octets.view(), octetsAt);
    words.set(names.entries, table);
    words.set(rows.view(), rrsetsAt);
    words.set(lists.view(), listsAt);
    words.set(steered.view(), steeredAt);
    words.set(pools.view(), poolsAt);
    this.#putHeader(words, { table, rrsetsAt, listsAt, steeredAt, poolsAt });
    return buffer;
  }

  /** What edits of the assembled image start from. */
  room(): ZoneRoom {
    const { names, encoded } = this.#sections;
    const parents = new Int32Array(this.#nodeRoom);
    parents.set(names.parents.view());
    const children = new Int32Array(this.#nodeRoom);
    for (let node = image.APEX_NODE + 1; node < names.nodeCount; node++) {
      const parent = names.parents.at(node);
      children[parent] = (children[parent] as number) + 1;
    }
    return {
      parents,
      children,
      targets: encoded.targets.view().slice(),
      octets: encoded.octetsAt + encoded.octets.length,
      rrsets: encoded.rows.length / image.RRSET_WORDS,
      lists: encoded.lists.length,
    };
  }

  #putHeader(
    words: Int32Array,
    at: Readonly<Record<'table' | 'rrsetsAt' | 'listsAt' | 'steeredAt' | 'poolsAt', number>>,
  ): void {
    const { names, steered, apexAt, negativeSoa } = this.#sections;
    words[0] = image.ZONE_MAGIC;
    words[image.ZONE_APEX] = apexAt;
    words[image.ZONE_APEX_LENGTH] = names.apex.length;
    words[image.ZONE_APEX_LABELS] = names.apex.labelCount;
    words[image.ZONE_APEX_HASH] = names.apex.suffixHashes[0] as number;
    words[image.ZONE_TABLE] = at.table;
    words[image.ZONE_TABLE_MASK] = names.entries.length / 2 - 1;
    words[image.ZONE_NODE_COUNT] = names.nodeCount;
    words[image.ZONE_RRSETS] = at.rrsetsAt;
    words[image.ZONE_LISTS] = at.listsAt;
    words[image.ZONE_STEERED] = at.steeredAt;
    words[image.ZONE_STEERED_COUNT] = steered.length / image.STEERED_WORDS;
    words[image.ZONE_POOLS] = at.poolsAt;
    words[image.ZONE_NEGATIVE_SOA] = negativeSoa;
    words[image.ZONE_DEPTH] = names.depth;
  }
}

/** For how many nodes there is room in an image that has so many. */
export function nodeRoom(nodes: number, room: Room): number {
  return roomed(nodes, room.rows, room);
}

/** Words for so many octets, an even number: no pair of the name table reaches over two lines of the cache. */
function wholePairs(octets: number): number {
  return 2 * Math.ceil(octets / (2 * WORD_OCTETS));
}

function roomed(length: number, least: number, { share }: Room): number {
  return length + Math.ceil(Math.max(least, share * length));
}

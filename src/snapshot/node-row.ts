import type { GrowingInts, GrowingOctets } from '../dns/growing.ts';
import * as image from './zone-image.ts';

/*
 * Writes the rows of nodes; see the drawing in `zone-image.ts`. `words` is an image, or as much of one as ends with
 * the nodes.
 */

/** Begins the row of a node that has neither RRsets nor links yet. */
export function putNode(words: Int32Array, node: number, labelsLength: number, labelsAt: number): void {
  const row = image.nodeRow(node);
  words[row + image.NODE_HEAD] = labelsLength;
  words[row + image.NODE_LABELS] = labelsAt;
  words[row + image.NODE_LINKS] = image.NONE;
  words[row + image.NODE_RRSET] = 0;
}

/** Says which RRsets a node has: those of `rows` from number `first` on. A single one moves into the node. */
export function putRRsets(words: Int32Array, node: number, rows: GrowingInts, first: number): void {
  const row = image.nodeRow(node);
  const start = image.RRSET_WORDS * first;
  const count = (rows.length - start) / image.RRSET_WORDS;
  words[row + image.NODE_HEAD] = ((words[row + image.NODE_HEAD] as number) & 0xff) | (count << 8);
  words[row + image.NODE_RRSET] = first;
  if (count !== 1) return;
  for (let i = 0; i < image.RRSET_WORDS; i++) words[row + image.NODE_RRSET + i] = rows.at(start + i);
  rows.truncate(start);
}

/** Links a node; `link` is one of LINK_…. */
export function putLink(
  words: Int32Array,
  node: number,
  lists: GrowingInts,
  link: number,
  target: number,
): void {
  const row = image.nodeRow(node);
  let links = words[row + image.NODE_LINKS] as number;
  if (links === image.NONE) {
    links = lists.length;
    words[row + image.NODE_LINKS] = links;
    for (let i = 0; i < image.LINK_WORDS; i++) lists.push(image.NONE);
  }
  lists.put(links + link, target);
}

/** The nodes of an image that is being compiled, and what of the octets they take in. */
export class CompiledNodes {
  /** The image up to the end of its nodes. */
  readonly words: Int32Array;
  readonly #free: Uint8Array;
  readonly #octets: GrowingOctets;

  /** `octets`: what stands behind the nodes. */
  constructor(count: number, octets: GrowingOctets) {
    this.words = new Int32Array(image.nodeRow(count));
    this.#free = new Uint8Array(this.words.buffer);
    this.#octets = octets;
  }

  /** Begins the row of a node, whose labels are the last of the octets from `start` on, found at `at`. */
  begin(node: number, start: number, at: number): void {
    const length = this.#octets.length - start;
    putNode(this.words, node, length, at);
    const free = image.nodeOctets(node);
    if (this.#take(start, free, free + image.NODE_OCTETS)) {
      this.words[image.nodeRow(node) + image.NODE_LABELS] = free;
    }
  }

  /** As `putRRsets`, where the records are the last of the octets from `start` on. */
  finish(node: number, rows: GrowingInts, first: number, start: number): void {
    putRRsets(this.words, node, rows, first);
    const row = image.nodeRow(node);
    const head = this.words[row + image.NODE_HEAD] as number;
    if (head >>> 8 !== 1) return;
    const free = image.nodeOctets(node);
    const taken = this.words[row + image.NODE_LABELS] === free ? head & 0xff : 0;
    if (this.#take(start, free + taken, free + image.NODE_OCTETS)) {
      this.words[row + image.NODE_RRSET + image.RRSET_OCTETS] = free + taken;
    }
  }

  /** Moves the octets from `start` on to `to`, where they end before `end`. */
  #take(start: number, to: number, end: number): boolean {
    const length = this.#octets.length - start;
    if (to + length > end) return false;
    const { octets } = this.#octets;
    for (let i = 0; i < length; i++) this.#free[to + i] = octets[start + i] as number;
    this.#octets.truncate(start);
    return true;
  }
}

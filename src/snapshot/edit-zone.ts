import { GrowingInts, GrowingOctets } from '../dns/growing.ts';
import { createHashedName, type HashedName, readPlainName } from '../dns/hashed-name.ts';
import type { RRsetValue } from '../dns/rrset-columns.ts';
import { TYPE_NS, TYPE_SOA } from '../dns/type.ts';
import { EditedNodes } from './edited-nodes.ts';
import type { ZoneRoom } from './encoded-zone.ts';
import { Quarantine } from './quarantine.ts';
import { RRsetEncoder } from './rrset-encoder.ts';
import * as image from './zone-image.ts';
import { isSound, keepSoundRRsets } from './zone-plan.ts';

/** What an owner name has after an edit: all its RRsets, none where it is to have none. */
export interface OwnerEdit {
  /** Wire form. */
  readonly owner: Uint8Array;
  readonly rrsets: readonly RRsetValue[];
}

/** Where the serial stands from the end of SOA rdata (RFC 1035 section 3.3.13). */
const SERIAL_FROM_END = 20;

/** An edit runs where writes are answered; what changes more names than this is compiled on the compile thread. */
export const MAX_OWNERS_PER_EDIT = 1000;

/**
 * Makes the next image of a zone from its last by copying it and changing a few names, in a time that does not grow
 * with the zone but for the copy. The image that it makes answers as a compiled one does:
 *
 *     octets, RRsets, lists    what is new stands behind what was there, and what it takes the place of is left over
 *     nodes                    a name that comes gets the next node; one that goes is taken out of the name table
 *
 * What reaches beyond the edited names is not edited: delegations, names that are steered, names whose addresses go
 * with RRsets of others, records that would be quarantined, and what finds no room any more. The zone is then
 * compiled anew.
 */
export class ZoneEditor {
  readonly #apex: Uint8Array;
  #image: SharedArrayBuffer;
  #room: ZoneRoom;
  #targets: Set<number>;
  #copy: SharedArrayBuffer | undefined;

  /** `apex` as it was compiled; the image must have been compiled for edits, without problems. */
  constructor(apex: Uint8Array, compiled: SharedArrayBuffer, room: ZoneRoom) {
    this.#apex = apex;
    this.#image = compiled;
    this.#room = room;
    this.#targets = new Set(room.targets);
  }

  /**
   * The image after the edits, with the serial in the SOA; undefined where the zone has to be compiled anew, after
   * which this editor cannot be used any more.
   */
  edit(edits: readonly OwnerEdit[], serial: number): SharedArrayBuffer | undefined {
    if (edits.length > MAX_OWNERS_PER_EDIT) return undefined;
    const copy = this.#copy ?? copyOf(this.#image);
    this.#copy = undefined;
    const zone = image.openZoneImage(copy);
    const sections = openSections(zone, this.#room);
    const nodes = new EditedNodes(zone, this.#room, sections, this.#targets);
    if (!edits.every((edit) => this.#isEditable(edit))) return undefined;
    const names = edits.map(({ owner }) => readName(owner));
    // First all names, then what they have: records may refer to names of the same edit.
    for (const [i, edit] of edits.entries()) {
      if (edit.rrsets.length > 0 && !nodes.add(names[i] as HashedName)) return undefined;
    }
    for (const [i, edit] of edits.entries()) {
      if (edit.rrsets.length === 0 && !nodes.remove(names[i] as HashedName)) return undefined;
    }
    const encoder = new RRsetEncoder(nodes, { ...sections, targets: new GrowingInts() });
    for (const [i, edit] of edits.entries()) {
      if (edit.rrsets.length > 0 && !this.#encode(edit, nodes, names[i] as HashedName, encoder))
        return undefined;
    }
    if (!fits(zone, sections)) return undefined;
    putSerial(zone, serial);
    nodes.finish();
    for (const target of encoder.encoded.targets.view()) this.#targets.add(target);
    this.#room = {
      ...this.#room,
      octets: sections.octets.length,
      rrsets: sections.rows.length / image.RRSET_WORDS,
      lists: sections.lists.length,
    };
    this.#image = copy;
    return copy;
  }

  /** The image that the next edit starts from. */
  get image(): SharedArrayBuffer {
    return this.#image;
  }

  /**
   * Takes a copy of an image that was made in advance, for the next edit; nobody else may have it. One of an image that
   * is not the last any more is of no use.
   */
  takeCopy(of: SharedArrayBuffer, copy: SharedArrayBuffer): void {
    if (of === this.#image) this.#copy = copy;
  }

  #isEditable({ owner, rrsets }: OwnerEdit): boolean {
    const isApex = owner.length === this.#apex.length;
    const quarantine = new Quarantine(this.#apex);
    return rrsets.every(
      (rrset) =>
        (isApex || (rrset.type !== TYPE_NS && rrset.type !== TYPE_SOA)) && isSound(rrset, quarantine),
    );
  }

  #encode(edit: OwnerEdit, nodes: EditedNodes, name: HashedName, encoder: RRsetEncoder): boolean {
    const node = nodes.find(name);
    const quarantine = new Quarantine(this.#apex);
    const site = { apex: node === image.APEX_NODE, cut: 'none', glue: false, steered: false } as const;
    const kept = keepSoundRRsets(edit.rrsets, site, quarantine);
    if (quarantine.problems.length > 0) return false;
    const first = encoder.encoded.rows.length / image.RRSET_WORDS;
    for (const { type, ttlSeconds, rdatas } of kept) {
      if (encoder.encode(node, type, ttlSeconds, rdatas) === image.NONE) return false;
    }
    nodes.putRRsets(node, first);
    return true;
  }
}

function copyOf(original: SharedArrayBuffer): SharedArrayBuffer {
  const copy = new SharedArrayBuffer(original.byteLength);
  new Uint8Array(copy).set(new Uint8Array(original));
  return copy;
}

/** The sections that grow, each over its place in the image: what does not fit there any more moves out of it. */
export interface OpenSections {
  readonly octets: GrowingOctets;
  readonly octetsAt: number;
  readonly rows: GrowingInts;
  readonly lists: GrowingInts;
}

function openSections(zone: image.ZoneImage, room: ZoneRoom): OpenSections {
  const { words, octets, table, rrsets, lists, steered } = zone;
  return {
    // With all that stands before them, so that places in it are places in the image.
    octetsAt: 0,
    octets: new GrowingOctets(octets.subarray(0, words.BYTES_PER_ELEMENT * table), room.octets),
    rows: new GrowingInts(words.subarray(rrsets, lists), image.RRSET_WORDS * room.rrsets),
    lists: new GrowingInts(words.subarray(lists, steered), room.lists),
  };
}

function fits(zone: image.ZoneImage, { octets, rows, lists }: OpenSections): boolean {
  return (
    octets.length <= zone.words.BYTES_PER_ELEMENT * zone.table &&
    rows.length <= zone.lists - zone.rrsets &&
    lists.length <= zone.steered - zone.lists
  );
}

function readName(owner: Uint8Array): HashedName {
  const name = createHashedName();
  readPlainName(name, owner, 0, owner.length);
  return name;
}

/** Into the SOA of the apex and into that of negative answers, which differ in their TTL. */
function putSerial(zone: image.ZoneImage, serial: number): void {
  const soas = [image.findRRset(zone, image.APEX_NODE, TYPE_SOA), zone.negativeSoa];
  const view = new DataView(zone.words.buffer);
  for (const soa of soas) {
    if (soa === image.NONE) continue;
    const end = image.rrsetOctets(zone, soa) + image.rrsetLength(zone, soa);
    view.setUint32(end - SERIAL_FROM_END, serial >>> 0);
  }
}

import type { HashedName } from '../dns/hashed-name.ts';
import { TYPE_ANY, TYPE_CNAME, TYPE_DS, TYPE_NS } from '../dns/type.ts';
import { findZone, NO_ZONE, type ZoneDirectory } from '../snapshot/zone-directory.ts';
import {
  APEX_NODE,
  cutAbove,
  findNode,
  findRRset,
  NONE,
  nodeFirstRRset,
  nodeRRsetCount,
  RRSET_WORDS,
  rrsetLength,
  steeredAt,
  wildcardBelow,
  type ZoneImage,
} from '../snapshot/zone-image.ts';

/** What a zone says about a name and type; RFC 1034 section 4.3.2, step 3. One object is written anew for each. */
export interface Found {
  kind: FoundKind;
  /** `rrset`, `cname`: the RRset; `delegation`: the NS RRset of the cut. */
  rrset: number;
  /** `steered`, `hinfo`: position in the table of steered names. `delegation`: the cut's node. */
  at: number;
  /** The node that the answer comes from: the name's own, the wildcard's, or the cut's. NXDOMAIN has none. */
  node: number;
}

export type FoundKind = 'rrset' | 'cname' | 'steered' | 'hinfo' | 'nodata' | 'nxdomain' | 'delegation';

export function createFound(): Found {
  return { kind: 'nxdomain', rrset: NONE, at: NONE, node: NONE };
}

/**
 * The zone to answer from: the one with the longest matching apex. RFC 4035 section 3.1.4.1: DS at a zone's apex is the
 * parent's to answer, where we have the parent too and it delegates the name.
 */
export function zoneFor(directory: ZoneDirectory, name: HashedName, type: number): number {
  if (type === TYPE_DS && name.labelCount > 0) {
    const parent = findZone(directory, name, 1);
    if (parent !== NO_ZONE) {
      const zone = directory.images[parent] as ZoneImage;
      const node = findNode(zone, name, 0);
      if (node !== NONE && cutAbove(zone, node) === node) return parent;
    }
  }
  return findZone(directory, name, 0);
}

/** Looks a name of the zone up. */
export function lookup(found: Found, zone: ZoneImage, name: HashedName, type: number): void {
  const labelsBelowApex = name.labelCount - zone.apexLabels;
  const node = labelsBelowApex <= zone.depth ? findNode(zone, name, 0) : NONE;
  if (node !== NONE) {
    lookUpNode(found, zone, node, type);
    return;
  }
  const encloser = closestEncloser(zone, name, labelsBelowApex);
  const cut = cutAbove(zone, encloser);
  // RFC 4592 section 3.3.1: the source of synthesis is the asterisk right below the closest encloser, or there is none.
  const wildcard = wildcardBelow(zone, encloser);
  if (cut !== NONE) delegate(found, zone, cut);
  else if (wildcard !== NONE) lookUpNode(found, zone, wildcard, type);
  else found.kind = 'nxdomain';
}

/** The deepest existing ancestor of a name that has no node. Existence ends once on the way down: halve the way. */
function closestEncloser(zone: ZoneImage, name: HashedName, labelsBelowApex: number): number {
  let encloser = APEX_NODE;
  let existing = 0;
  let deepest = Math.min(labelsBelowApex - 1, zone.depth);
  while (existing < deepest) {
    const middle = (existing + deepest + 1) >> 1;
    const node = findNode(zone, name, labelsBelowApex - middle);
    if (node === NONE) deepest = middle - 1;
    else {
      existing = middle;
      encloser = node;
    }
  }
  return encloser;
}

function lookUpNode(found: Found, zone: ZoneImage, node: number, type: number): void {
  const cut = cutAbove(zone, node);
  // RFC 4035 section 3.1.4.1: DS is the one type for which the parent has authority at a cut.
  if (cut !== NONE && (cut !== node || type !== TYPE_DS)) {
    delegate(found, zone, cut);
    return;
  }
  const steered = steeredAt(zone, node);
  const rrset = type === TYPE_ANY ? smallestRRset(zone, node) : findRRset(zone, node, type);
  found.rrset = rrset;
  found.at = steered;
  found.node = node;
  if (rrset !== NONE) found.kind = 'rrset';
  else if (steered !== NONE) found.kind = type === TYPE_ANY ? 'hinfo' : 'steered';
  else {
    found.rrset = findRRset(zone, node, TYPE_CNAME);
    found.kind = found.rrset === NONE ? 'nodata' : 'cname';
  }
}

/** RFC 8482 section 4.1: ANY is answered with one RRset; the smallest gives the least to amplify. */
function smallestRRset(zone: ZoneImage, node: number): number {
  const first = nodeFirstRRset(zone, node);
  const end = first + RRSET_WORDS * nodeRRsetCount(zone, node);
  let smallest = NONE;
  for (let rrset = first; rrset < end; rrset += RRSET_WORDS) {
    if (smallest === NONE || rrsetLength(zone, rrset) < rrsetLength(zone, smallest)) smallest = rrset;
  }
  return smallest;
}

function delegate(found: Found, zone: ZoneImage, cut: number): void {
  found.kind = 'delegation';
  found.rrset = findRRset(zone, cut, TYPE_NS);
  found.at = cut;
  found.node = cut;
}

import { rrsetKey } from '../../config/model.ts';
import type { RRset } from '../../config/resources/rrset.ts';
import type { ZoneShape } from '../../config/zone-shape.ts';
import { formatName, parseName } from '../../dns/name.ts';
import { formatRdata } from '../../dns/rdata/index.ts';
import type { RRsetValue } from '../../dns/rrset-columns.ts';
import { formatType } from '../../dns/type.ts';
import { nodeName, nodeOf, rrsetsOfNode } from '../../snapshot/read-image.ts';
import { cutAbove, NONE, nodeRRsetCount, openZoneImage, type ZoneImage } from '../../snapshot/zone-image.ts';
import type { PageJob } from '../compile/compile-job.ts';

/** RRsets in the order of their keys. */
export interface RRsetPage {
  readonly rrsets: readonly RRset[];
  /** Whether there are more behind. */
  readonly more: boolean;
}

/** One RRset of an image by its key. */
export function readRRset(image: SharedArrayBuffer, key: string): RRset | undefined {
  const zone = openZoneImage(image);
  const name = parseName(nameOfKey(key));
  const node = name.ok ? nodeOf(zone, name.value) : NONE;
  if (node === NONE) return undefined;
  return rrsetsOfNode(zone, node)
    .map(presented)
    .find((rrset) => keyOf(rrset) === key);
}

/** What of an image decides whether a name can be steered in it. */
export function imageShape(image: SharedArrayBuffer): ZoneShape {
  const zone = openZoneImage(image);
  const nodeAt = (text: string): number => {
    const name = parseName(text);
    return name.ok ? nodeOf(zone, name.value) : NONE;
  };
  return {
    typesAt: {
      get: (text) => {
        const node = nodeAt(text);
        if (node === NONE || nodeRRsetCount(zone, node) === 0) return undefined;
        return rrsetsOfNode(zone, node).map(({ type }) => type);
      },
    },
    cuts: {
      // Not counted: it is asked whether there are any, and to look for one is cheap.
      size: 1,
      has: (text) => {
        const node = nodeAt(text);
        return node !== NONE && cutAbove(zone, node) === node;
      },
    },
  };
}

/** The order of the zone that was read last: its pages are read one after the other. */
let lastOrder: { readonly zone: string; readonly nodes: Int32Array } | undefined;

/** A page of an image, on the compile thread: to put a million names in order takes seconds. */
export function readPage({ image, zone: identity, after, limit }: PageJob): RRsetPage {
  const zone = openZoneImage(image);
  if (lastOrder?.zone !== identity) lastOrder = { zone: identity, nodes: nodesInOrder(zone) };
  const { nodes } = lastOrder;
  const rrsets: RRset[] = [];
  for (
    let i = after === undefined ? 0 : firstNotBefore(zone, nodes, nameOfKey(after));
    i < nodes.length;
    i++
  ) {
    const here = rrsetsOfNode(zone, nodes[i] as number)
      .map(presented)
      .filter((rrset) => after === undefined || keyOf(rrset) > after)
      .sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
    for (const rrset of here) {
      if (rrsets.length === limit) return { rrsets, more: true };
      rrsets.push(rrset);
    }
  }
  return { rrsets, more: false };
}

function nodesInOrder(zone: ZoneImage): Int32Array {
  const names: string[] = [];
  const nodes = new Int32Array(zone.nodeCount);
  let count = 0;
  for (let node = 0; node < zone.nodeCount; node++) {
    names.push(formatName(nodeName(zone, node)));
    if (nodeRRsetCount(zone, node) > 0) nodes[count++] = node;
  }
  return nodes
    .slice(0, count)
    .sort((one, other) => ((names[one] as string) < (names[other] as string) ? -1 : 1));
}

function firstNotBefore(zone: ZoneImage, nodes: Int32Array, name: string): number {
  let start = 0;
  let end = nodes.length;
  while (start < end) {
    const middle = (start + end) >>> 1;
    if (formatName(nodeName(zone, nodes[middle] as number)) < name) start = middle + 1;
    else end = middle;
  }
  return start;
}

function presented({ owner, type, ttlSeconds, rdatas }: RRsetValue): RRset {
  return {
    name: formatName(owner),
    type: formatType(type),
    ttlSeconds,
    records: rdatas.map((rdata) => formatRdata(type, rdata)),
  };
}

function keyOf({ name, type }: RRset): string {
  return rrsetKey(name, type);
}

function nameOfKey(key: string): string {
  return key.slice(0, Math.max(0, key.lastIndexOf(' ')));
}

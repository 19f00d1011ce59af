import { createHashedName, readPlainName } from '../dns/hashed-name.ts';
import type { RRsetValue } from '../dns/rrset-columns.ts';
import * as image from './zone-image.ts';

/** Octets of a record before its rdata, in an image: see the drawing in `zone-image.ts`. */
const HEAD_LENGTH = 12;
const RDATA_LENGTH_AT = 10;
const POINTER_LENGTH = 2;

/** The name of a node: uncompressed wire form, lower case. */
export function nodeName(zone: image.ZoneImage, node: number): Uint8Array {
  const { octets, apexAt, apexLength } = zone;
  const length = image.nodeNameLength(zone, node);
  const labels = image.nodeLabels(zone, node);
  const name = new Uint8Array(length + apexLength);
  name.set(octets.subarray(labels, labels + length));
  name.set(octets.subarray(apexAt, apexAt + apexLength), length);
  return name;
}

/** The node of a wire name; `NONE` for none, and outside the zone. */
export function nodeOf(zone: image.ZoneImage, wire: Uint8Array): number {
  const name = createHashedName();
  readPlainName(name, wire, 0, wire.length);
  const label = name.labelCount - zone.apexLabels;
  if (label < 0 || name.suffixHashes[label] !== zone.apexHash) return image.NONE;
  return image.findNode(zone, name, 0);
}

/** The RRsets of a node as they are served, names in them uncompressed. */
export function rrsetsOfNode(zone: image.ZoneImage, node: number): readonly RRsetValue[] {
  const owner = nodeName(zone, node);
  const first = image.nodeFirstRRset(zone, node);
  return Array.from({ length: image.nodeRRsetCount(zone, node) }, (_, i) => {
    const rrset = first + image.RRSET_WORDS * i;
    return {
      owner,
      type: image.rrsetType(zone, rrset),
      ttlSeconds: image.rrsetTtlSeconds(zone, rrset),
      rdatas: rdatasOf(zone, rrset),
    };
  });
}

function rdatasOf(zone: image.ZoneImage, rrset: number): readonly Uint8Array[] {
  const { octets, words } = zone;
  const start = image.rrsetOctets(zone, rrset);
  const patches = image.rrsetPatches(zone, rrset);
  const patchesEnd = patches + image.rrsetPatchCount(zone, rrset);
  const rdatas: Uint8Array[] = [];
  let at = start;
  let patch = patches;
  for (let record = 0; record < image.rrsetRecordCount(zone, rrset); record++) {
    const length =
      ((octets[at + RDATA_LENGTH_AT] as number) << 8) | (octets[at + RDATA_LENGTH_AT + 1] as number);
    const end = at + HEAD_LENGTH + length;
    const pieces: Uint8Array[] = [];
    let copied = at + HEAD_LENGTH;
    for (; patch < patchesEnd && start + (words[patch] as number) < end; patch++) {
      const pointer = start + (words[patch] as number);
      pieces.push(octets.subarray(copied, pointer));
      pieces.push(octets.subarray(zone.apexAt, zone.apexAt + zone.apexLength));
      copied = pointer + POINTER_LENGTH;
    }
    pieces.push(octets.subarray(copied, end));
    rdatas.push(join(pieces));
    at = end;
  }
  return rdatas;
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let end = 0;
  for (const piece of pieces) {
    whole.set(piece, end);
    end += piece.length;
  }
  return whole;
}

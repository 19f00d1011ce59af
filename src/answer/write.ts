import { putUint16, putUint32 } from '../dns/put-integer.ts';
import { CLASS_IN, TYPE_A, TYPE_AAAA } from '../dns/type.ts';
import {
  additionalIsInDomain,
  additionalNameOffset,
  additionalNode,
  findRRset,
  NONE,
  rrsetAdditionalCount,
  rrsetLength,
  rrsetOctets,
  rrsetPatchCount,
  rrsetPatches,
  rrsetRecordCount,
  type ZoneImage,
} from '../snapshot/zone-image.ts';
import type { Reply } from './reply.ts';

/** Owner pointer, type, class, TTL and rdlength: where rdata begins in a record of an image. */
export const RDATA_OFFSET = 12;
/** Where a record's TTL stands. */
export const TTL_OFFSET = 6;

const RDLENGTH_OFFSET = 10;
const POINTER = 0xc000;
/** RFC 1035 section 4.1.4: a pointer has 14 bits. */
const MAX_POINTER = 0x3fff;
/** Where the question's name stands, to which the records of an image point. */
const QUESTION_AT = 12;

const TYPE_HINFO = 13;
/** RFC 8482 section 4.2: two character strings, the first saying why, the second empty. */
const hinfo: readonly number[] = [7, ...[...'RFC8482'].map((letter) => letter.charCodeAt(0)), 0];

/**
 * Appends an RRset whose owner stands at `ownerAt`. False, with nothing written, where it does not fit.
 * The caller counts its records.
 */
export function writeRRset(reply: Reply, zone: ZoneImage, rrset: number, ownerAt: number): boolean {
  const length = rrsetLength(zone, rrset);
  const start = reply.at;
  if (start + length > reply.limit || ownerAt > MAX_POINTER) return false;
  const { octets } = reply;
  const source = zone.octets;
  const sourceAt = rrsetOctets(zone, rrset);
  for (let i = 0; i < length; i++) octets[start + i] = source[sourceAt + i] as number;
  const patchCount = rrsetPatchCount(zone, rrset);
  if (patchCount > 0) {
    const patches = rrsetPatches(zone, rrset);
    const pointer = POINTER | reply.apexAt;
    for (let i = 0; i < patchCount; i++)
      putUint16(octets, start + (zone.words[patches + i] as number), pointer);
  }
  if (ownerAt !== QUESTION_AT) pointOwners(octets, start, start + length, ownerAt);
  reply.at = start + length;
  return true;
}

function pointOwners(octets: Uint8Array, start: number, end: number, ownerAt: number): void {
  for (let at = start; at < end; ) {
    putUint16(octets, at, POINTER | ownerAt);
    const rdlength =
      ((octets[at + RDLENGTH_OFFSET] as number) << 8) | (octets[at + RDLENGTH_OFFSET + 1] as number);
    at += RDATA_OFFSET + rdlength;
  }
}

/**
 * Appends the addresses of the names in an RRset that was written at `rrsetAt`, as far as they fit.
 * False where in-domain glue had to be left out (RFC 9471 section 3.1).
 */
export function writeAdditional(reply: Reply, zone: ZoneImage, rrset: number, rrsetAt: number): boolean {
  const count = rrsetAdditionalCount(zone, rrset);
  let complete = true;
  for (let pair = 0; pair < count; pair++) {
    const node = additionalNode(zone, rrset, pair);
    const ownerAt = rrsetAt + additionalNameOffset(zone, rrset, pair);
    const fits =
      writeAddresses(reply, zone, node, TYPE_A, ownerAt) &&
      writeAddresses(reply, zone, node, TYPE_AAAA, ownerAt);
    if (!fits && additionalIsInDomain(zone, rrset, pair)) complete = false;
  }
  return complete;
}

function writeAddresses(reply: Reply, zone: ZoneImage, node: number, type: number, ownerAt: number): boolean {
  const rrset = findRRset(zone, node, type);
  if (rrset === NONE) return true;
  if (!writeRRset(reply, zone, rrset, ownerAt)) return false;
  reply.additionalCount += rrsetRecordCount(zone, rrset);
  return true;
}

/** Appends one address record to the answer; the address is 4 or 16 octets at `address` in the image. */
export function writeAddress(
  reply: Reply,
  zone: ZoneImage,
  type: number,
  address: number,
  ttlSeconds: number,
): boolean {
  const length = type === TYPE_A ? 4 : 16;
  const start = reply.at;
  if (start + RDATA_OFFSET + length > reply.limit) return false;
  const { octets } = reply;
  writeRecordHead(octets, start, reply.ownerAt, type, ttlSeconds, length);
  for (let i = 0; i < length; i++) octets[start + RDATA_OFFSET + i] = zone.octets[address + i] as number;
  reply.at = start + RDATA_OFFSET + length;
  reply.answerCount++;
  return true;
}

/** Appends the HINFO record that answers ANY where there is nothing else to choose (RFC 8482 section 4.2). */
export function writeHinfo(reply: Reply, ttlSeconds: number): boolean {
  const start = reply.at;
  if (start + RDATA_OFFSET + hinfo.length > reply.limit) return false;
  const { octets } = reply;
  writeRecordHead(octets, start, reply.ownerAt, TYPE_HINFO, ttlSeconds, hinfo.length);
  for (let i = 0; i < hinfo.length; i++) octets[start + RDATA_OFFSET + i] = hinfo[i] as number;
  reply.at = start + RDATA_OFFSET + hinfo.length;
  reply.answerCount++;
  return true;
}

function writeRecordHead(
  octets: Uint8Array,
  start: number,
  ownerAt: number,
  type: number,
  ttlSeconds: number,
  rdlength: number,
): void {
  putUint16(octets, start, POINTER | ownerAt);
  putUint16(octets, start + 2, type);
  putUint16(octets, start + 4, CLASS_IN);
  putUint32(octets, start + TTL_OFFSET, ttlSeconds);
  putUint16(octets, start + RDLENGTH_OFFSET, rdlength);
}

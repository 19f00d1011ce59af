import type { RRsetColumns } from '../../dns/rrset-columns.ts';

/**
 * What zone files parsed to, until it is compiled: a zone that is read is compiled soon after, on the same thread. Room
 * for the largest zone that a node is made for, ten million records of some 40 octets; a node with such zones has it.
 */
const MAX_PARSED_OCTETS = 512 * 1024 * 1024;

const parsedZones = new Map<string, RRsetColumns>();

/** Keeps a zone for its compilation; the oldest make room, and are then parsed again. */
export function keepParsed(blob: string, columns: RRsetColumns): void {
  parsedZones.delete(blob);
  parsedZones.set(blob, columns);
  let octets = 0;
  for (const [kept, zone] of [...parsedZones].reverse()) {
    octets += zone.rrsets.byteLength + zone.records.byteLength + zone.octets.byteLength;
    if (octets > MAX_PARSED_OCTETS) parsedZones.delete(kept);
  }
}

/** The zone of a blob, once. */
export function takeParsed(blob: string): RRsetColumns | undefined {
  const columns = parsedZones.get(blob);
  parsedZones.delete(blob);
  return columns;
}

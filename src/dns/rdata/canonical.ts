import { lowercaseOctet } from '../name.ts';
import { octetKey } from '../octet-key.ts';
import type { RdataKind } from './kind.ts';

/** Up to this many records are compared each with each; more of them in a set, since that would be quadratic. */
export const LINEAR_SEARCH_LIMIT = 8;

/** Rdata with the names in it in lower case: records that differ only there are the same record. */
export function canonicalRdata(kind: RdataKind, rdata: Uint8Array): Uint8Array {
  const names = kind.names(rdata);
  if (names.length === 0) return rdata;
  const canonical = rdata.slice();
  for (const { offset, length } of names) {
    for (let i = offset; i < offset + length; i += 1) canonical[i] = lowercaseOctet(canonical[i] ?? 0);
  }
  return canonical;
}

/** The records without those that repeat an earlier one: an RRset has each only once (RFC 2181 section 5). */
export function distinctRdatas(kind: RdataKind, rdatas: readonly Uint8Array[]): readonly Uint8Array[] {
  if (rdatas.length < 2) return rdatas;
  const canonical = rdatas.map((rdata) => canonicalRdata(kind, rdata));
  // Nearly all RRsets are small and repeat nothing: that is seen without a key for each record.
  if (rdatas.length <= LINEAR_SEARCH_LIMIT && !repeats(canonical)) return rdatas;
  const seen = new Set<string>();
  return rdatas.filter((_, i) => {
    const key = octetKey(canonical[i] as Uint8Array);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function repeats(canonical: readonly Uint8Array[]): boolean {
  return canonical.some((one, i) => canonical.some((other, j) => j > i && octetsEqual(one, other)));
}

/** Whether two arrays hold the same octets. */
export function octetsEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

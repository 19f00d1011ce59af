import { lowercaseOctet } from '../name.ts';
import { octetKey } from '../octet-key.ts';
import type { RdataKind } from './kind.ts';

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
  const distinct = new Map<string, Uint8Array>();
  for (const rdata of rdatas) {
    const key = octetKey(canonicalRdata(kind, rdata));
    if (!distinct.has(key)) distinct.set(key, rdata);
  }
  return distinct.size === rdatas.length ? rdatas : [...distinct.values()];
}

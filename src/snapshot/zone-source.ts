import type { AllDown } from '../config/resources/steered-name.ts';
import type { RRsetColumns, RRsetValue } from '../dns/rrset-columns.ts';

/** What the compiler turns into one zone image. Names are uncompressed wire form, absolute. */
export interface ZoneSource {
  /** Lower case. */
  readonly apex: Uint8Array;
  readonly rrsets: readonly RRsetSource[];
  readonly steeredNames: readonly SteeredSource[];
}

/** The same for a zone of any size. */
export interface ColumnsSource {
  /** Lower case. */
  readonly apex: Uint8Array;
  readonly columns: RRsetColumns;
  readonly steeredNames: readonly SteeredSource[];
}

export type RRsetSource = RRsetValue;

/** A steered name, with everything of its pool that an answer needs. */
export interface SteeredSource {
  readonly owner: Uint8Array;
  readonly ttlSeconds: number;
  readonly answers: number;
  readonly allDown: AllDown;
  /** Number of the map in `SnapshotMessage.maps`. */
  readonly map: number;
  readonly endpoints: readonly EndpointSource[];
  /** Addresses for `allDown: fallback`; 4 or 16 octets each. */
  readonly fallback: readonly Uint8Array[];
}

export interface EndpointSource {
  /** Index in the verdict table. */
  readonly slot: number;
  /** Data center number. */
  readonly dataCenter: number;
  readonly weight: number;
  /** Type A: 4 octets. AAAA: 16 octets. CNAME: a wire name. */
  readonly type: 1 | 28 | 5;
  readonly rdata: Uint8Array;
}

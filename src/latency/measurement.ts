import type { Address } from '../dns/address.ts';

/** One round trip from a client to a data center. */
export interface Measurement {
  /** An IPv4 address as such, not mapped into IPv6. */
  readonly client: Address;
  readonly dataCenter: string;
  readonly milliseconds: number;
  /** When it was measured, in milliseconds since 1970. */
  readonly atMs: number;
}

/** The measurements of a batch in an order of their own, so that the order in which they came decides nothing. */
export function sortedMeasurements(batch: readonly Measurement[]): readonly Measurement[] {
  return batch.toSorted((one, other) => one.atMs - other.atMs || one.milliseconds - other.milliseconds);
}

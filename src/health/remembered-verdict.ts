/** What a node knew of an endpoint when it last ran. */
export interface RememberedVerdict {
  /** `pool/endpoint`. */
  readonly key: string;
  readonly verdict: 'up' | 'down';
  /** Where probes went, see `probeTarget`: what was known of another address is worth nothing. */
  readonly target: string;
  /** When the endpoint took this verdict, in milliseconds since the epoch. */
  readonly sinceMs: number;
  /** When this was last known to hold, in milliseconds since the epoch. */
  readonly knownAtMs: number;
  /** Whether it was among those that were up when last any of its pool was. */
  readonly lastKnownUp: boolean;
}

/** The address that a remembered verdict is about. */
export function probeTarget(endpoint: {
  readonly address: string;
  readonly probeAddress: string | undefined;
}): string {
  return `${endpoint.address} ${endpoint.probeAddress ?? ''}`;
}

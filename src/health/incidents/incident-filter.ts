/** Which incidents are asked for; what is undefined does not restrict. */
export interface IncidentFilter {
  /** Name of the endpoint within its pool. */
  readonly endpoint?: string | undefined;
  readonly pool?: string | undefined;
  readonly dataCenter?: string | undefined;
  /** Open at this time or later. */
  readonly sinceMs?: number | undefined;
  /** Opened before. */
  readonly untilMs?: number | undefined;
  readonly state?: 'open' | 'ended' | undefined;
  /** Only older ones than this incident. */
  readonly after?: string | undefined;
  readonly limit: number;
}

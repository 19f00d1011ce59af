import type { Delivery } from '../alerts/delivery.ts';
import type { Incident } from '../health/incidents/incident.ts';

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

/** Newest first, and whether there are older ones. */
interface SourcePage<T> {
  readonly items: readonly T[];
  readonly more: boolean;
}

/** What the API needs of incidents and alerts; each rejects while the history cannot be read. */
export interface IncidentSource {
  readonly incidents: (filter: IncidentFilter) => Promise<SourcePage<Incident>>;
  readonly incident: (id: string) => Promise<Incident | undefined>;
  readonly deliveries: (query: {
    readonly channel: string;
    readonly after?: string | undefined;
    readonly limit: number;
  }) => Promise<SourcePage<Delivery>>;
  /** Sends a test message; undefined for a channel that is not there. */
  readonly testChannel: (name: string) => Promise<Delivery | undefined>;
}

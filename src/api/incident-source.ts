import type { Delivery, DeliveryFilter } from '../alerts/delivery.ts';
import type { Incident } from '../health/incidents/incident.ts';
import type { IncidentFilter } from '../health/incidents/incident-filter.ts';

/** Newest first, and whether there are older ones. */
interface SourcePage<T> {
  readonly items: readonly T[];
  readonly more: boolean;
}

/** What the API needs of incidents and alerts; each rejects while the history cannot be read. */
export interface IncidentSource {
  readonly incidents: (filter: IncidentFilter) => Promise<SourcePage<Incident>>;
  readonly incident: (id: string) => Promise<Incident | undefined>;
  readonly deliveries: (filter: DeliveryFilter) => Promise<SourcePage<Delivery>>;
  /** Sends a test message; undefined for a channel that is not there. */
  readonly testChannel: (name: string) => Promise<Delivery | undefined>;
}

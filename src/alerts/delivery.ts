import type { Incident } from '../health/incidents/incident.ts';

/** What a message tells. */
export type AlertEvent = 'opened' | 'recovered' | 'test';

/**
 * The way of a message:
 *
 *     collecting --> waiting --> delivered
 *         |             |`-----> failed        refused by the receiver, or not taken for a day
 *         |             `------> dropped       pushed out by newer ones, or its channel is gone
 *         `--------------------> not-needed    others of the data center are still out
 */
export type DeliveryState = 'collecting' | 'waiting' | 'delivered' | 'failed' | 'dropped' | 'not-needed';

/** What a message tells of one incident. */
export type AlertIncident = Pick<
  Incident,
  | 'id'
  | 'kind'
  | 'severity'
  | 'dataCenter'
  | 'pools'
  | 'endpoint'
  | 'verdict'
  | 'reason'
  | 'openedAtMs'
  | 'closedAtMs'
  | 'memberCount'
>;

/** One message to one channel. It is written down before it is sent, and kept after. */
export interface Delivery {
  /** Sorted by time; sent with every attempt, so that a receiver can tell a repetition. */
  readonly id: string;
  readonly channel: string;
  readonly event: AlertEvent;
  /** What is collected into the same message has the same. */
  readonly group: string;
  readonly state: DeliveryState;
  readonly createdAtMs: number;
  /** When it is tried next, or is complete while it collects. */
  readonly dueAtMs: number;
  readonly finishedAtMs: number | undefined;
  readonly attempts: number;
  /** HTTP status of the last attempt; undefined where there was no answer. */
  readonly status: number | undefined;
  /** Why the last attempt failed. */
  readonly error: string | undefined;
  /** At most `MAX_INCIDENTS`; `total` counts all. */
  readonly incidents: readonly AlertIncident[];
  readonly total: number;
}

/** Which deliveries are asked for. */
export interface DeliveryFilter {
  readonly channel: string;
  /** Only older ones than this delivery. */
  readonly after?: string | undefined;
  readonly limit: number;
}

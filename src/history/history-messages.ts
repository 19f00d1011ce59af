import type { Delivery, DeliveryFilter } from '../alerts/delivery.ts';
import type { Incident } from '../health/incidents/incident.ts';
import type { IncidentFilter } from '../health/incidents/incident-filter.ts';

/** Where the history lies, and how much of it stays. */
export interface HistoryStart {
  readonly path: string;
  readonly retention: Retention;
}

/** What is older, or more, goes: the oldest first, and what is still open last. */
export interface Retention {
  readonly days: number;
  readonly mebibytes: number;
}

/** What is written together. Each row replaces the one of the same id, so that writing it twice changes nothing. */
export interface HistoryBatch {
  readonly incidents: readonly Incident[];
  readonly deliveries: readonly Delivery[];
}

/** Newest first, and whether there are older ones. */
export interface HistoryPage<T> {
  readonly items: readonly T[];
  readonly more: boolean;
}

/** A question to the thread; each is answered once, by its number. */
export type HistoryQuestion =
  | { readonly kind: 'put'; readonly batch: HistoryBatch; readonly nowMs: number }
  | { readonly kind: 'incidents'; readonly filter: IncidentFilter }
  | { readonly kind: 'incident'; readonly id: string }
  | { readonly kind: 'deliveries'; readonly filter: DeliveryFilter }
  | { readonly kind: 'unfinished' }
  | { readonly kind: 'close' };

export type HistoryRequest = HistoryQuestion & { readonly number: number };

/** What has to be gone on with after a start. */
export interface Unfinished {
  readonly incidents: readonly Incident[];
  readonly deliveries: readonly Delivery[];
}

/** An answer; `trouble` says at any time what is wrong with the database. */
export type HistoryReply =
  | { readonly number: number; readonly ok: true; readonly value: unknown; readonly trouble: HistoryTrouble }
  | { readonly number: number; readonly ok: false; readonly error: string; readonly trouble: HistoryTrouble };

export interface HistoryTrouble {
  /** What was moved aside because it could not be used; undefined when nothing was. */
  readonly movedAside: string | undefined;
  /** Why nothing can be kept on disk; undefined when it can. */
  readonly inMemory: string | undefined;
  /** How often a database was started anew since the thread began. */
  readonly startedAnew: number;
}

/**
 * How many load units ask for each order of data centers, from sampled queries.
 *
 *     sample --> pool and order --> decayed rate of queries --.
 *                                                             x --> load units of each order
 *     reports of load / what the rates predict --> scale -----'
 *
 * What clients ask for does not depend on where they are sent, so a plan made from it does not chase its own effects.
 */

/** Queries a second of clients with one order for one pool. */
export interface OrderRate {
  readonly pool: string;
  /** Names of data centers, best first. */
  readonly order: readonly string[];
  readonly rate: number;
}

/**
 * Old queries fade with this time constant: half are gone after 83 s. With the 200 samples a second of a busy worker a
 * tenth of all clients is then known to 2 %; less time would be noise, more would miss a crowd.
 */
export const DEMAND_FADES_MS = 120_000;

/** A map has some hundreds of orders, and what is planned with them grows with their number. */
export const MAX_DEMAND_ORDERS = 2048;

/** Places further down an order see clients only when all before them are full. */
export const MAX_ORDER_PLACES = 16;

/** An order that faded to this many queries is forgotten. */
const FORGOTTEN_QUERIES = 0.01;

interface Row {
  readonly pool: string;
  readonly order: readonly string[];
  queries: number;
  atMs: number;
}

/** Decayed rates by pool and order. Times are milliseconds on any clock that does not go back. */
export class DemandLedger {
  readonly #rows = new Map<string, Row>();
  readonly #sinceMs: number;
  /** Queries of orders that found no room. */
  readonly #missed: Row = { pool: '', order: [], queries: 0, atMs: 0 };

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
    this.#missed.atMs = nowMs;
  }

  /** Counts so many queries. */
  add(pool: string, order: readonly string[], queries: number, nowMs: number): void {
    const kept = order.slice(0, MAX_ORDER_PLACES);
    const key = `${pool} ${kept.join(' ')}`;
    const row = this.#rows.get(key);
    if (row !== undefined) count(row, queries, nowMs);
    else if (this.#rows.size < MAX_DEMAND_ORDERS)
      this.#rows.set(key, { pool, order: kept, queries, atMs: nowMs });
    else count(this.#missed, queries, nowMs);
  }

  /** The rates at present; what found no room counts as spread like the rest. */
  rates(nowMs: number): readonly OrderRate[] {
    let known = 0;
    for (const [key, row] of this.#rows) {
      count(row, 0, nowMs);
      if (row.queries < FORGOTTEN_QUERIES) this.#rows.delete(key);
      else known += row.queries;
    }
    count(this.#missed, 0, nowMs);
    // Seconds that the counts stand for: the time constant, once it has run that long.
    const elapsedMs = Math.max(1000, nowMs - this.#sinceMs);
    const seconds = (DEMAND_FADES_MS / 1000) * (1 - Math.exp(-elapsedMs / DEMAND_FADES_MS));
    const scale = (1 + this.#missed.queries / Math.max(known, FORGOTTEN_QUERIES)) / seconds;
    return Array.from(this.#rows.values(), ({ pool, order, queries }) => ({
      pool,
      order,
      rate: queries * scale,
    }));
  }
}

function count(row: Row, queries: number, nowMs: number): void {
  row.queries = row.queries * Math.exp(-Math.max(0, nowMs - row.atMs) / DEMAND_FADES_MS) + queries;
  row.atMs = nowMs;
}

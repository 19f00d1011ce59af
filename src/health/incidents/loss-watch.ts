import type { EndpointHealth } from '../endpoint-health.ts';
import type { Verdict } from '../verdict.ts';

/** The part of an endpoint's health that timelines are kept by. */
export type TimelineEndpoint = Pick<EndpointHealth, 'key' | 'pool' | 'endpoint' | 'dataCenter' | 'verdict'>;

/** The endpoints of one data center. */
interface Place {
  readonly members: Set<string>;
  /** Those that are down or drained. */
  readonly out: Set<string>;
  /** Those that are up. */
  readonly up: Set<string>;
}

/**
 * Knows of every data center how many of its endpoints are out of service, so that the fall of thousands is counted
 * and not searched.
 *
 *     #endpoints   "web/fra-v4" -> endpoint with its verdict
 *     #places      "fra"        -> members, and those of them that are out and up
 */
export class LossWatch {
  #endpoints = new Map<string, TimelineEndpoint>();
  #places = new Map<string, Place>();

  /** Replaces all endpoints. */
  follow(endpoints: Iterable<TimelineEndpoint>): void {
    this.#endpoints = new Map();
    this.#places = new Map();
    for (const endpoint of endpoints) {
      this.#endpoints.set(endpoint.key, endpoint);
      count(this.#place(endpoint.dataCenter), endpoint);
    }
  }

  get(key: string): TimelineEndpoint | undefined {
    return this.#endpoints.get(key);
  }

  /** Gives an endpoint another verdict; undefined for one that is not known. */
  move(key: string, verdict: Verdict): TimelineEndpoint | undefined {
    const before = this.#endpoints.get(key);
    if (before === undefined) return undefined;
    const { pool, endpoint, dataCenter } = before;
    const moved = { key, pool, endpoint, dataCenter, verdict };
    this.#endpoints.set(key, moved);
    count(this.#place(dataCenter), moved);
    return moved;
  }

  size(dataCenter: string): number {
    return this.#places.get(dataCenter)?.members.size ?? 0;
  }

  /** Whether every endpoint of the data center is down or drained. */
  isLost(dataCenter: string): boolean {
    const place = this.#places.get(dataCenter);
    return place !== undefined && place.members.size > 0 && place.out.size === place.members.size;
  }

  /** Whether an endpoint of the data center is up: one of which nothing is known does not bring it back. */
  isServing(dataCenter: string): boolean {
    return (this.#places.get(dataCenter)?.up.size ?? 0) > 0;
  }

  members(dataCenter: string): readonly TimelineEndpoint[] {
    const keys = this.#places.get(dataCenter)?.members ?? [];
    return Array.from(keys).flatMap((key) => this.#endpoints.get(key) ?? []);
  }

  #place(dataCenter: string): Place {
    const known = this.#places.get(dataCenter);
    if (known !== undefined) return known;
    const place: Place = { members: new Set(), out: new Set(), up: new Set() };
    this.#places.set(dataCenter, place);
    return place;
  }
}

function count({ members, out, up }: Place, { key, verdict }: TimelineEndpoint): void {
  members.add(key);
  out.delete(key);
  up.delete(key);
  if (verdict === 'up') up.add(key);
  if (verdict === 'down' || verdict === 'drained') out.add(key);
}

import type { VantageSeat } from '../../health/consensus.ts';

/**
 * A node counts as away only after this long without a session: one that restarts, or a link that is taken up again,
 * should not move the probing of thousands of endpoints to others and back.
 */
export const AWAY_AFTER_MS = 5_000;

/** A node of the cluster, as the collection `nodes` has it. */
export interface ClusterNode {
  readonly name: string;
  /** Empty where it was not told. */
  readonly region: string;
}

/**
 * With which nodes this one is in touch. Only sessions that are up or down decide it, and only for this node: others
 * may see it otherwise.
 *
 *     session down ---- AWAY_AFTER_MS ----> away ---- session up ----> in touch, at once
 */
export class Presence {
  readonly #own: string;
  #nodes: readonly ClusterNode[] = [];
  /** Nodes without a session, and since when by the monotonic clock. */
  readonly #lostAtMs = new Map<string, number>();
  readonly #up = new Set<string>();

  /** `own` is this node's name; it is always in touch with itself. */
  constructor(own: string) {
    this.#own = own;
  }

  /** Replaces the nodes. One that is new has `AWAY_AFTER_MS` to be heard of. */
  follow(nodes: readonly ClusterNode[], nowMs: number): void {
    this.#nodes = nodes.toSorted((one, other) => (one.name < other.name ? -1 : 1));
    const names = new Set(nodes.map(({ name }) => name));
    for (const name of this.#lostAtMs.keys()) if (!names.has(name)) this.#lostAtMs.delete(name);
    for (const name of names)
      if (name !== this.#own && !this.#up.has(name) && !this.#lostAtMs.has(name))
        this.#lostAtMs.set(name, nowMs);
  }

  up(name: string): void {
    this.#up.add(name);
    this.#lostAtMs.delete(name);
  }

  down(name: string, nowMs: number): void {
    this.#up.delete(name);
    if (this.#nodes.some((node) => node.name === name)) this.#lostAtMs.set(name, nowMs);
  }

  /** Seats of all nodes, in the order of their names: the same on every node but for who is away. */
  seats(nowMs: number): readonly VantageSeat[] {
    return this.#nodes.map(({ name, region }) => {
      const lostAtMs = this.#lostAtMs.get(name);
      const away = lostAtMs !== undefined && nowMs - lostAtMs >= AWAY_AFTER_MS;
      return away ? { name, region, away } : { name, region };
    });
  }

  /** Milliseconds until the next node counts as away; undefined when none is on its way to it. */
  nextChangeMs(nowMs: number): number | undefined {
    let next: number | undefined;
    for (const lostAtMs of this.#lostAtMs.values()) {
      const leftMs = lostAtMs + AWAY_AFTER_MS - nowMs;
      if (leftMs > 0) next = Math.min(next ?? leftMs, leftMs);
    }
    return next;
  }
}

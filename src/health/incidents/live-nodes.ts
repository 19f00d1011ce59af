import type { Verdict } from '../verdict.ts';
import type { Incident, LiveNode } from './incident.ts';

/** What a peer tells of an endpoint whose incident has not opened here yet: it was quicker by a round trip. */
interface EarlyLive extends LiveNode {
  readonly verdict: Verdict;
}

/** Endpoints of which something waits; what is beyond has one line less in its timeline. */
const MAX_WAITING = 10_000;

/** News that wait for this node to come to the same verdict. */
export class EarlyNews {
  readonly #byKey = new Map<string, EarlyLive[]>();

  keep(key: string, news: EarlyLive): void {
    const others = (this.#byKey.get(key) ?? []).filter(({ node }) => node !== news.node);
    this.#byKey.delete(key);
    this.#byKey.set(key, [...others, news]);
    const [oldest] = this.#byKey.keys();
    if (this.#byKey.size > MAX_WAITING && oldest !== undefined) this.#byKey.delete(oldest);
  }

  /** What waited for a verdict, no older than `sinceMs`; nothing of the endpoint waits any more. */
  take(key: string, verdict: Verdict, sinceMs: number): readonly LiveNode[] {
    const waiting = this.#byKey.get(key) ?? [];
    this.#byKey.delete(key);
    return waiting
      .filter((news) => news.verdict === verdict && news.atMs >= sinceMs)
      .map(({ node, atMs }) => ({ node, atMs }));
  }

  drop(key: string): void {
    this.#byKey.delete(key);
  }
}

/** The incident with one more node that answers by it; undefined where it is known of that node. */
export function withLive(incident: Incident, live: LiveNode): Incident | undefined {
  if (incident.live.some(({ node }) => node === live.node)) return undefined;
  const staleGoneAtMs = Math.max(incident.staleGoneAtMs, live.atMs + incident.ttlSeconds * 1000);
  return { ...incident, live: [...incident.live, live], staleGoneAtMs };
}

/** When a node answered by the last of several incidents; undefined until it answers by all of them. */
export function liveByAll(incidents: readonly Incident[], node: string): LiveNode | undefined {
  let atMs = Number.NEGATIVE_INFINITY;
  for (const { live } of incidents) {
    const own = live.find((one) => one.node === node);
    if (own === undefined) return undefined;
    atMs = Math.max(atMs, own.atMs);
  }
  return incidents.length === 0 ? undefined : { node, atMs };
}

import type { Observation } from '../observation.ts';
import type { Verdict } from '../verdict.ts';
import type { Incident, LiveNode, Severity, VantageEvidence } from './incident.ts';
import { severities } from './incident.ts';
import { EarlyNews, liveByAll, withLive } from './live-nodes.ts';
import { LossWatch, type TimelineEndpoint } from './loss-watch.ts';

/** Vantages whose evidence one incident keeps; more say the same. */
const MAX_VANTAGES = 16;

/** A day of an endpoint that flaps is many incidents; within one, more changes than this tell nothing new. */
const MAX_CHANGES = 32;

/** An operator reads a few; whoever counts has `memberCount`. */
export const MAX_MEMBERS = 1000;

/** Beyond this many open incidents the newest keep one vantage's evidence: a lost network must not cost the memory. */
const MAX_EVIDENCED = 5_000;

/** Vantages that agree later than this are another story. */
const FOLLOW_VANTAGES_MS = 60_000;

/** One change of a verdict, as the board tells it, with when queries were answered by it. */
export interface VerdictEvent {
  readonly key: string;
  readonly from: Verdict;
  readonly to: Verdict;
  readonly reason: string;
  /** When the board decided. */
  readonly decidedAtMs: number;
  /** When the octet was stored, here. */
  readonly liveAtMs: number;
  /** What every vantage says of the endpoint at this moment. */
  readonly observations: readonly Observation[];
}

/** An incident that is new or has changed, and what that means to whoever is told of it. */
export interface IncidentNews {
  readonly what: 'opened' | 'escalated' | 'updated' | 'closed';
  readonly incident: Incident;
}

/**
 * Makes incidents of changes of verdicts:
 *
 *     up ----> down, drained, unknown ----> ... ----> up        one incident of the endpoint
 *               `- the last endpoint of its data center         one incident of the data center, until the first is back
 *
 * Every method returns the incidents that are new or have changed. Pure but for its own memory: times are arguments.
 */
export interface Timeline {
  /** The open incidents of the run before; to be called before anything else. */
  restore(open: Iterable<Incident>): void;
  /** Follows the endpoints of the configuration; `ttlSecondsOf` is the largest TTL with which a pool is answered. */
  follow(
    endpoints: Iterable<TimelineEndpoint>,
    ttlSecondsOf: (pool: string) => number,
    nowMs: number,
  ): readonly IncidentNews[];
  take(event: VerdictEvent): readonly IncidentNews[];
  /** Another node answers by a verdict on an endpoint; `live.atMs` is by the clock of this one. */
  takeLive(key: string, verdict: Verdict, live: LiveNode): readonly IncidentNews[];
  /** Takes in vantages that have come to say down since, and recoveries that nobody was there to see. */
  look(observationsOf: (key: string) => readonly Observation[], nowMs: number): readonly IncidentNews[];
  /** Open incidents, in the order in which they opened. */
  open(): Iterable<Incident>;
}

/** A timeline without incidents; `node` names this node in them. */
export function createTimeline(node: string): Timeline {
  return new Timelines(node);
}

class Timelines implements Timeline {
  readonly #node: string;
  /** Open incidents of endpoints by `pool/endpoint`. */
  readonly #open = new Map<string, Incident>();
  /** Open incidents of data centers by name. */
  readonly #lost = new Map<string, Incident>();
  readonly #watch = new LossWatch();
  /** Keys that were out of service when the run before ended, and are said to be up from memory alone. */
  readonly #doubtful = new Set<string>();
  /** Keys whose vantages are still listened to. */
  readonly #recent = new Set<string>();
  readonly #early = new EarlyNews();
  #ttlSecondsOf: (pool: string) => number = () => 0;

  constructor(node: string) {
    this.#node = node;
  }

  restore(open: Iterable<Incident>): void {
    for (const incident of open) {
      if (incident.kind === 'data-center') this.#lost.set(incident.dataCenter, incident);
      else this.#open.set(keyOf(incident), incident);
    }
  }

  follow(
    endpoints: Iterable<TimelineEndpoint>,
    ttlSecondsOf: (pool: string) => number,
    nowMs: number,
  ): readonly IncidentNews[] {
    this.#ttlSecondsOf = ttlSecondsOf;
    this.#watch.follow(endpoints);
    const news: IncidentNews[] = [];
    for (const [key, incident] of this.#open) {
      const endpoint = this.#watch.get(key);
      if (endpoint === undefined) news.push(this.#close(key, incident, 'removed', nowMs));
      else if (endpoint.verdict === 'up') this.#doubtful.add(key);
    }
    for (const dataCenter of [...this.#lost.keys()]) news.push(...this.#checkLoss(dataCenter, nowMs, nowMs));
    return news;
  }

  take(event: VerdictEvent): readonly IncidentNews[] {
    const endpoint = this.#watch.move(event.key, event.to);
    if (endpoint === undefined) return [];
    this.#doubtful.delete(event.key);
    const before = this.#open.get(event.key);
    const news: IncidentNews[] = [];
    if (event.to === 'up') {
      if (before !== undefined) news.push(this.#close(event.key, before, 'closed', event.liveAtMs));
    } else if (before === undefined) news.push(this.#start(endpoint, event));
    else news.push(this.#change(before, event));
    return [...news, ...this.#checkLoss(endpoint.dataCenter, event.decidedAtMs, event.liveAtMs)];
  }

  takeLive(key: string, verdict: Verdict, live: LiveNode): readonly IncidentNews[] {
    if (verdict === 'up') {
      this.#early.drop(key);
      return [];
    }
    const before = this.#open.get(key);
    if (before === undefined) {
      if (this.#watch.get(key) !== undefined) this.#early.keep(key, { ...live, verdict });
      return [];
    }
    const isLate = live.atMs - before.openedAtMs > FOLLOW_VANTAGES_MS;
    const incident = isLate ? undefined : withLive(before, live);
    if (incident === undefined) return [];
    this.#open.set(key, incident);
    return [{ what: 'updated', incident }, ...this.#loseOn(live.node, incident.dataCenter)];
  }

  look(observationsOf: (key: string) => readonly Observation[], nowMs: number): readonly IncidentNews[] {
    const news: IncidentNews[] = [];
    for (const key of this.#doubtful) {
      const incident = this.#open.get(key);
      if (incident !== undefined && !observationsOf(key).some(({ verdict }) => verdict === 'up')) continue;
      this.#doubtful.delete(key);
      if (incident === undefined) continue;
      news.push(this.#close(key, incident, 'closed', nowMs));
      news.push(...this.#checkLoss(incident.dataCenter, nowMs, nowMs));
    }
    for (const key of this.#recent) {
      const incident = this.#open.get(key);
      if (incident === undefined || nowMs - incident.openedAtMs > FOLLOW_VANTAGES_MS)
        this.#recent.delete(key);
      else news.push(...this.#listen(key, incident, observationsOf(key)));
    }
    return news;
  }

  *open(): Iterable<Incident> {
    yield* this.#open.values();
    yield* this.#lost.values();
  }

  #start(endpoint: TimelineEndpoint, event: VerdictEvent): IncidentNews {
    const { pool, endpoint: name, dataCenter, key } = endpoint;
    const vantages = this.#evidence(event);
    const early = this.#early.take(key, event.to, event.decidedAtMs - FOLLOW_VANTAGES_MS);
    const live = [{ node: this.#node, atMs: event.liveAtMs }, ...early];
    const ttlSeconds = this.#ttlSecondsOf(pool);
    const incident: Incident = {
      id: `${event.decidedAtMs}.${pool}.${name}`,
      kind: 'endpoint',
      severity: severityOf(event.to),
      state: 'open',
      dataCenter,
      pools: [pool],
      endpoint: name,
      verdict: event.to,
      reason: event.reason,
      openedAtMs: event.decidedAtMs,
      closedAtMs: undefined,
      firstFailureAtMs: firstFailureAtMs(event.to, vantages),
      decidedAtMs: event.decidedAtMs,
      live,
      ttlSeconds,
      staleGoneAtMs: Math.max(...live.map(({ atMs }) => atMs)) + ttlSeconds * 1000,
      vantages,
      changes: [],
      partOf: this.#lost.get(dataCenter)?.id,
      members: [],
      memberCount: 0,
    };
    this.#open.set(key, incident);
    this.#recent.add(key);
    return { what: 'opened', incident };
  }

  /** Another verdict of what is out of service already. What first took it out of the answers stays its timeline. */
  #change(before: Incident, event: VerdictEvent): IncidentNews {
    const { decidedAtMs: atMs, from, to, reason } = event;
    const severity = higher(before.severity, severityOf(to));
    const fails = to === 'down' && before.firstFailureAtMs === undefined;
    const vantages = fails ? this.#evidence(event) : before.vantages;
    const incident: Incident = {
      ...before,
      severity,
      verdict: to,
      vantages,
      changes: [...before.changes, { atMs, from, to, reason }].slice(-MAX_CHANGES),
    };
    this.#open.set(event.key, incident);
    return { what: severity === before.severity ? 'updated' : 'escalated', incident };
  }

  #close(key: string, before: Incident, state: 'closed' | 'removed', closedAtMs: number): IncidentNews {
    const incident: Incident = { ...before, state, closedAtMs };
    this.#open.delete(key);
    this.#doubtful.delete(key);
    this.#recent.delete(key);
    return { what: 'closed', incident };
  }

  /** Adds vantages that have come to the same verdict since. */
  #listen(key: string, before: Incident, observations: readonly Observation[]): readonly IncidentNews[] {
    const known = new Set(
      before.vantages.flatMap(({ vantage, verdict }) => (verdict === 'down' ? vantage : [])),
    );
    const late = observations.filter(({ vantage, verdict }) => verdict === 'down' && !known.has(vantage));
    if (late.length === 0) return [];
    const names = new Set(late.map(({ vantage }) => vantage));
    const vantages = [
      ...before.vantages.filter(({ vantage }) => !names.has(vantage)),
      ...late.map(evidenceOf),
    ].slice(0, MAX_VANTAGES);
    const incident = { ...before, vantages };
    this.#open.set(key, incident);
    return [{ what: 'updated', incident }];
  }

  /** Opens or closes the incident of a data center as a whole, where that is what has happened. */
  #checkLoss(dataCenter: string, decidedAtMs: number, liveAtMs: number): readonly IncidentNews[] {
    const before = this.#lost.get(dataCenter);
    if (this.#watch.size(dataCenter) === 0 && before !== undefined)
      return [this.#regain(before, 'removed', liveAtMs)];
    const isLost = this.#watch.isLost(dataCenter);
    if (isLost && before === undefined) return this.#lose(dataCenter, decidedAtMs, liveAtMs);
    if (!isLost && before !== undefined && this.#watch.isServing(dataCenter))
      return [this.#regain(before, 'closed', liveAtMs)];
    if (isLost && before !== undefined) return this.#worsen(before);
    return [];
  }

  #lose(dataCenter: string, decidedAtMs: number, liveAtMs: number): readonly IncidentNews[] {
    const endpoints = this.#watch.members(dataCenter);
    const incidents = endpoints.flatMap(({ key }) => this.#open.get(key) ?? []);
    if (incidents.length === 0) return [];
    const id = `${decidedAtMs}.${dataCenter}`;
    const pools = [...new Set(endpoints.map(({ pool }) => pool))].sort();
    const ttlSeconds = Math.max(...pools.map((pool) => this.#ttlSecondsOf(pool)));
    const failures = incidents.flatMap((incident) => incident.firstFailureAtMs ?? []);
    const down = endpoints.filter(({ verdict }) => verdict === 'down').length;
    const lost: Incident = {
      id,
      kind: 'data-center',
      severity: down > 0 ? 'critical' : 'info',
      state: 'open',
      dataCenter,
      pools,
      endpoint: undefined,
      verdict: down > 0 ? 'down' : 'drained',
      reason: lossText(endpoints.length, down),
      openedAtMs: decidedAtMs,
      closedAtMs: undefined,
      firstFailureAtMs: failures.length === 0 ? undefined : least(failures),
      decidedAtMs,
      live: [{ node: this.#node, atMs: liveAtMs }],
      ttlSeconds,
      staleGoneAtMs: liveAtMs + ttlSeconds * 1000,
      vantages: [],
      changes: [],
      partOf: undefined,
      members: incidents.slice(0, MAX_MEMBERS).map((incident) => incident.id),
      memberCount: endpoints.length,
    };
    this.#lost.set(dataCenter, lost);
    const linked = endpoints.flatMap(({ key }) => this.#link(key, id));
    return [{ what: 'opened', incident: lost }, ...linked];
  }

  /** A node answers without an endpoint of a lost data center: maybe it was the last there. */
  #loseOn(node: string, dataCenter: string): readonly IncidentNews[] {
    const lost = this.#lost.get(dataCenter);
    // So many are not walked for every one of them.
    if (lost === undefined || lost.memberCount > MAX_MEMBERS) return [];
    const members = this.#watch.members(dataCenter).flatMap(({ key }) => this.#open.get(key) ?? []);
    const live = liveByAll(members, node);
    const incident = live === undefined ? undefined : withLive(lost, live);
    if (incident === undefined) return [];
    this.#lost.set(dataCenter, incident);
    return [{ what: 'updated', incident }];
  }

  #link(key: string, partOf: string): readonly IncidentNews[] {
    const before = this.#open.get(key);
    if (before === undefined) return [];
    const incident = { ...before, partOf };
    this.#open.set(key, incident);
    return [{ what: 'updated', incident }];
  }

  #regain(before: Incident, state: 'closed' | 'removed', closedAtMs: number): IncidentNews {
    this.#lost.delete(before.dataCenter);
    return { what: 'closed', incident: { ...before, state, closedAtMs } };
  }

  /** A data center that was drained, and whose endpoints now fail as well. */
  #worsen(before: Incident): readonly IncidentNews[] {
    if (before.severity === 'critical') return [];
    const endpoints = this.#watch.members(before.dataCenter);
    const down = endpoints.filter(({ verdict }) => verdict === 'down').length;
    if (down === 0) return [];
    const reason = lossText(endpoints.length, down);
    const incident: Incident = { ...before, severity: 'critical', verdict: 'down', reason };
    this.#lost.set(before.dataCenter, incident);
    return [{ what: 'escalated', incident }];
  }

  #evidence({ observations }: VerdictEvent): readonly VantageEvidence[] {
    const most = this.#open.size < MAX_EVIDENCED ? MAX_VANTAGES : 1;
    // Those that say down are what it went by; the others show who saw it otherwise.
    const sorted = observations.toSorted((one, other) => rank(one) - rank(other));
    return sorted.slice(0, most).map(evidenceOf);
  }
}

function rank({ verdict }: Observation): number {
  return verdict === 'down' ? 0 : 1;
}

function evidenceOf(observation: Observation): VantageEvidence {
  const { vantage, verdict, sinceMs, firstFailureAtMs: first, failures, observedAtMs, result } = observation;
  return { vantage, verdict, sinceMs, firstFailureAtMs: first, failures, observedAtMs, result };
}

function firstFailureAtMs(verdict: Verdict, vantages: readonly VantageEvidence[]): number | undefined {
  if (verdict !== 'down') return undefined;
  const times = vantages.flatMap((evidence) =>
    evidence.verdict === 'down' ? (evidence.firstFailureAtMs ?? []) : [],
  );
  return times.length === 0 ? undefined : least(times);
}

function least(times: readonly number[]): number {
  return times.reduce((first, time) => Math.min(first, time));
}

function keyOf({ pools, endpoint }: Incident): string {
  return `${pools[0] ?? ''}/${endpoint ?? ''}`;
}

function severityOf(verdict: Verdict): Severity {
  return verdict === 'down' ? 'warning' : 'info';
}

function higher(one: Severity, other: Severity): Severity {
  return severities.indexOf(one) >= severities.indexOf(other) ? one : other;
}

function lossText(endpoints: number, down: number): string {
  const drained = endpoints - down;
  const all = endpoints === 1 ? 'Its only endpoint is' : `All of its ${endpoints} endpoints are`;
  if (down === 0) return `${all} drained.`;
  return drained === 0 ? `${all} down.` : `${all} out of service, ${drained} of them drained.`;
}

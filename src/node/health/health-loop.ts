import type { EndpointReport, ReportOutcome } from '../../api/control-plane.ts';
import type { Config } from '../../config/model.ts';
import type { Problem } from '../../config/problem.ts';
import type { VerdictChange } from '../../health/board/board.ts';
import {
  type BoardEndpoint,
  boardEndpoints,
  createBoard,
  type HealthBoard,
} from '../../health/board/board.ts';
import type { VantageSeat } from '../../health/consensus.ts';
import type { EndpointHealth, HealthEvent, VantageSight } from '../../health/endpoint-health.ts';
import type { Observation } from '../../health/observation.ts';
import { answeringOf, tellDrains } from '../../health/overrides/drain.ts';
import { createDrainBook, type DrainBook, type Leave } from '../../health/overrides/drain-book.ts';
import { createMaintenance } from '../../health/overrides/maintenance.ts';
import type { StandingOverride } from '../../health/overrides/override.ts';
import { createTtlLedger } from '../../health/overrides/ttl-ledger.ts';
import type { ProbeReason } from '../../health/probe-result.ts';
import type { PushSource } from '../../health/push-sources.ts';
import type { RememberedVerdict } from '../../health/remembered-verdict.ts';
import type { VantageLink } from '../../probing/vantage-link.ts';
import { type VantageTarget, vantageTargets } from '../../probing/vantage-targets.ts';
import { FIRST_VERDICTS_MS, FirstVerdicts } from './first-verdicts.ts';
import { PushReports } from './push-reports.ts';

/** How often expiry of overrides and votes is looked at, and whether maintenance windows open or end. */
const LOOK_MS = 1000;

/** How often the last verdicts are kept, so that they are young after a crash. */
const KEEP_VERDICTS_MS = 60_000;

/** A look that comes later than this was kept by a node that stood still, or its clock was set. */
const STOOD_STILL_MS = 3 * LOOK_MS;

interface HealthLoopOptions {
  readonly verdicts: Uint8Array;
  /** Probes; reports in batches. */
  readonly vantage: (onObservations: (observations: readonly Observation[]) => void) => VantageLink;
  readonly nowMs: () => number;
  /** Of this node's own vantage. */
  readonly seat: VantageSeat;
  /** What the node knew when it last ran. */
  readonly remembered: readonly RememberedVerdict[];
  /** What was out of service then, and until when resolvers may send clients to it, by `pool/endpoint`. */
  readonly leaves: ReadonlyMap<string, Leave>;
  /** Keeps what is known for the next start. */
  readonly keep: (health: readonly EndpointHealth[]) => void;
  /** Called after verdicts changed; the verdict table already says so. */
  readonly onChange: () => void;
  /** Called for every change of a verdict, oldest first. */
  readonly onEvent: (event: HealthEvent) => void;
  /** Called when the last resolver that honours TTLs has let go of an endpoint that an override has drained. */
  readonly onDrained: (endpoint: EndpointHealth) => void;
  /** Called when the endpoints may be others than before. */
  readonly onEndpoints: () => void;
  /** Called with what this node itself has observed, for its peers. */
  readonly onOwn?: ((observations: readonly Observation[]) => void) | undefined;
  /** Called for every probe of an endpoint. */
  readonly onResult: (endpointKey: string, reason: ProbeReason) => void;
  /** Called when an endpoint tells its load, and maybe its capacity. */
  readonly onLoad?: ((endpointKey: string, load: number, capacity: number | undefined) => void) | undefined;
}

/** What another node has observed; see `Arrival` of the cluster. */
interface HeardObservation {
  readonly observation: Observation;
  /** Milliseconds since it was made. */
  readonly ageMs: number;
  readonly told: 'in-full' | 'again';
}

/** Carries probe results to the board, and the board's verdicts into the table that queries read. */
export class HealthLoop {
  readonly #options: HealthLoopOptions;
  readonly #board: HealthBoard;
  readonly #vantage: VantageLink;
  readonly #reports: PushReports;
  readonly #first: FirstVerdicts;
  readonly #maintenance = createMaintenance();
  readonly #ttls = createTtlLedger();
  readonly #drains: DrainBook;
  readonly #timers: readonly NodeJS.Timeout[];
  readonly #holds = new Set<NodeJS.Timeout>();
  #endpoints: ReadonlyMap<string, BoardEndpoint> = new Map();
  #poolOfSlot: ReadonlyMap<number, string> = new Map();
  /** The newest configuration that was followed, in part or in full. */
  #config: Config | undefined;
  /** The configuration that is followed; undefined when not all of it could be. */
  #followed: Config | undefined;
  #lastEvent: HealthEvent | undefined;
  /** When time was last asked for; once a second at least. */
  #seenMs: number;
  #seats: readonly VantageSeat[];
  /** Keys of this node's share. */
  #probed: ReadonlySet<string> = new Set();

  constructor(options: HealthLoopOptions) {
    this.#options = options;
    this.#seats = [options.seat];
    this.#seenMs = options.nowMs();
    this.#board = createBoard(options.remembered, this.#seats);
    this.#reports = new PushReports(options.seat.name);
    this.#first = new FirstVerdicts((slot, octet) => Atomics.store(options.verdicts, slot, octet));
    this.#drains = createDrainBook(options.leaves, (pool, nowMs) => this.#ttls.goneAtMs(pool, nowMs));
    this.#vantage = options.vantage((observations) => this.#observeOwn(observations));
    this.#timers = [
      setInterval(() => this.#look(), LOOK_MS),
      setInterval(() => this.keep(), KEEP_VERDICTS_MS),
    ];
  }

  /**
   * Follows a configuration: its endpoints, monitors, overrides and maintenance windows. `slotOf` gives verdict slots
   * by endpoint key.
   */
  configure(config: Config, slotOf: (endpointKey: string) => number): void {
    const { pools, monitors, overrides, maintenanceWindows, steeredNames } = config;
    const nowMs = this.#nowMs();
    const followed = this.#followed;
    const before = this.#config;
    this.#config = config;
    this.#ttls.follow(steeredNames, nowMs);
    // Most writes are about records: what endpoints, monitors and overrides are made from is then the same object.
    const isSame =
      followed?.pools === pools &&
      followed.monitors === monitors &&
      followed.overrides === overrides &&
      followed.maintenanceWindows === maintenanceWindows;
    if (isSame) {
      if (before?.policies !== config.policies || before.steeredNames !== steeredNames)
        this.#followDrains(pools.keys());
      return;
    }
    const endpoints = boardEndpoints(config, slotOf);
    const known = endpoints.filter((endpoint) => endpoint.slot >= 0);
    // An endpoint without a slot may get one next time, when others have left theirs.
    this.#followed = known.length === endpoints.length ? config : undefined;
    const poolsBefore = new Set(Array.from(this.#endpoints.values(), ({ pool }) => pool));
    this.#endpoints = new Map(known.map((endpoint) => [endpoint.key, endpoint]));
    this.#poolOfSlot = new Map(known.map(({ slot, pool }) => [slot, pool]));
    this.#maintenance.follow(maintenanceWindows, nowMs);
    // Overrides first: what is new and drained is never answered, and after a restart its drain goes on.
    this.#take(this.#board.setOverrides(this.#overrides(), nowMs));
    this.#take(this.#board.setEndpoints(known, nowMs));
    const health = this.#board.health();
    this.#drains.follow(answeringOf(config, health), nowMs);
    this.#holdNewPools(known, health, poolsBefore);
    this.#reports.keepOnly((key) => this.#endpoints.has(key.split('@')[0] ?? key));
    this.#config = config;
    this.#setTargets(this.#targetsOf(config));
    this.#options.onEndpoints();
  }

  /** Replaces the nodes that share the probing and vote, this one among them. */
  setSeats(seats: readonly VantageSeat[]): void {
    this.#seats = seats;
    this.#take(this.#board.setSeats(seats, this.#nowMs()));
    if (this.#config === undefined) return;
    const targets = this.#targetsOf(this.#config);
    // With few nodes each probes all, whoever comes and goes.
    const same = targets.length === this.#probed.size && targets.every(({ key }) => this.#probed.has(key));
    if (!same) this.#setTargets(targets);
  }

  /** What is observed where, by key, for the exchange with peers: probed and pushed. */
  sources(): ReadonlyMap<string, string> {
    const sources = Array.from(this.#endpoints.values(), ({ check }) => check?.sources ?? []).flat();
    return new Map(sources.map(({ key, target }) => [key, target]));
  }

  /** Takes in what other nodes have observed. */
  hear(arrivals: readonly HeardObservation[]): void {
    const nowMs = this.#nowMs();
    const changes: VerdictChange[] = [];
    for (const { observation, ageMs, told } of arrivals) {
      // What is only told again is no newer load.
      if (told === 'in-full') this.#tellLoad(observation);
      changes.push(...this.#board.observe(observation, nowMs, ageMs));
    }
    this.#take(changes);
  }

  /**
   * For how long resolvers may keep an answer of the pool that is given at this moment, in seconds; longer than its
   * largest TTL where that was lowered lately.
   */
  staleSecondsOf(pool: string): number {
    const nowMs = this.#nowMs();
    return Math.ceil((this.#ttls.goneAtMs(pool, nowMs) - nowMs) / 1000);
  }

  /** Takes in what an endpoint reports of itself. */
  report(sources: readonly PushSource[], report: EndpointReport): ReportOutcome {
    const { outcome, observations } = this.#reports.take(sources, report, this.#nowMs());
    this.#observeOwn(observations);
    return outcome;
  }

  /** What every vantage says of an endpoint at this moment, by `pool/endpoint`. */
  observationsOf(key: string): readonly Observation[] {
    return this.#board.observationsOf(key);
  }

  vantages(): readonly VantageSight[] {
    return this.#board.vantages();
  }

  /** What the board cannot decide, or is kept from doing. */
  problems(): readonly Problem[] {
    return this.#board.problems();
  }

  /** Name of the monitor behind an observation's key: `pool/endpoint`, or `pool/endpoint@monitor`. */
  monitorOf(key: string): string | undefined {
    return this.#endpoints.get(key)?.monitor ?? key.split('@')[1];
  }

  /** This node's own vantage, for its figures. */
  get vantage(): Pick<VantageLink, 'load' | 'restarts'> {
    return this.#vantage;
  }

  /** What answers go by at this moment: in a pool that is held back, nothing is known yet. */
  health(): readonly EndpointHealth[] {
    const health = this.#board.health().map((endpoint) =>
      this.#first.isHeld(endpoint.pool)
        ? ({
            ...endpoint,
            verdict: 'unknown',
            reason: 'It waits for the first verdicts of the whole pool.',
          } as const)
        : endpoint,
    );
    const config = this.#config;
    if (config === undefined) return health;
    return tellDrains(health, config, (key) => this.#drains.leaveOf(key));
  }

  /** Keeps what is known for the next start. */
  keep(): void {
    this.#options.keep(this.health());
  }

  async close(): Promise<void> {
    for (const timer of [...this.#timers, ...this.#holds]) clearTimeout(timer);
    await this.#vantage.stop();
    this.keep();
  }

  /**
   * While a node stands still nobody can report to it, and a clock that is set tells of no time that passed: leases
   * end by as much later, or sooner.
   */
  #nowMs(): number {
    const nowMs = this.#options.nowMs();
    const passedMs = nowMs - this.#seenMs;
    this.#seenMs = nowMs;
    if (passedMs < 0 || passedMs > STOOD_STILL_MS) this.#board.moveLeases(passedMs);
    return nowMs;
  }

  #overrides(): readonly StandingOverride[] {
    const own = Array.from(this.#config?.overrides.values() ?? [], ({ value, author }) => ({
      ...value,
      author,
    }));
    return [...own, ...this.#maintenance.overrides()];
  }

  /** What time alone changes. */
  #look(): void {
    const nowMs = this.#nowMs();
    if (this.#maintenance.look(nowMs)) {
      this.#take(this.#board.setOverrides(this.#overrides(), nowMs));
      // Also where nothing changes by it: guard rails may hold all of it.
      this.#options.onChange();
    }
    this.#take(this.#board.expire(nowMs).changes);
    const gone = new Set(this.#drains.takeGone(nowMs));
    if (gone.size === 0) return;
    const safe = this.health().filter(
      ({ key, drain }) => gone.has(key) && drain?.safeToRebootAt !== undefined,
    );
    for (const endpoint of safe) this.#options.onDrained(endpoint);
  }

  /** When queries are answered by a verdict of the pool that changes now, at the latest. */
  #liveAtMs(pool: string): number {
    return this.#nowMs() + (this.#first.isHeld(pool) ? FIRST_VERDICTS_MS : 0);
  }

  /** Some of the pools may be answered otherwise: one more that is up spares those that are down, and one less does not. */
  #followDrains(pools: Iterable<string>): void {
    const config = this.#config;
    if (config === undefined) return;
    for (const pool of pools)
      this.#drains.turn(answeringOf(config, this.#board.standings(pool)), this.#liveAtMs(pool));
  }

  #holdNewPools(
    endpoints: readonly BoardEndpoint[],
    health: readonly EndpointHealth[],
    poolsBefore: ReadonlySet<string>,
  ): void {
    const verdicts = new Map(health.map(({ key, verdict }) => [key, verdict]));
    for (const [pool, members] of Map.groupBy(endpoints, (endpoint) => endpoint.pool)) {
      // Where the pool says what unknown means, there is nothing to wait for.
      if (members[0]?.poolRules.unknown !== 'last-resort') continue;
      if (poolsBefore.has(pool) || members.some(({ key }) => verdicts.get(key) !== 'unknown')) continue;
      this.#first.hold(
        pool,
        members.map(({ slot }) => slot),
      );
      const timer = setTimeout(() => {
        this.#holds.delete(timer);
        this.#first.release(pool);
        this.#options.onChange();
      }, FIRST_VERDICTS_MS);
      this.#holds.add(timer);
    }
  }

  #targetsOf(config: Config): readonly VantageTarget[] {
    return vantageTargets(config, { vantage: this.#options.seat.name, seats: this.#seats });
  }

  #setTargets(targets: readonly VantageTarget[]): void {
    this.#probed = new Set(targets.map(({ key }) => key));
    this.#vantage.setTargets(targets);
  }

  #observeOwn(observations: readonly Observation[]): void {
    const nowMs = this.#nowMs();
    const changes: VerdictChange[] = [];
    for (const observation of observations) {
      this.#options.onResult(observation.key, observation.result.reason);
      this.#tellLoad(observation);
      changes.push(...this.#board.observe(observation, nowMs));
    }
    this.#take(changes);
    this.#options.onOwn?.(observations);
  }

  #tellLoad({ key, result: { evidence } }: Observation): void {
    const { load, capacity } = evidence;
    if (typeof load !== 'number') return;
    const endpoint = key.split('@')[0] ?? key;
    this.#options.onLoad?.(endpoint, load, typeof capacity === 'number' ? capacity : undefined);
  }

  #take(changes: readonly VerdictChange[]): void {
    if (changes.length === 0) return;
    for (const { slot, octet } of changes) this.#first.put(this.#poolOfSlot.get(slot), slot, octet);
    this.#tellEvents();
    this.#options.onChange();
  }

  #tellEvents(): void {
    const events = this.#board.events();
    const end = this.#lastEvent === undefined ? events.length : events.indexOf(this.#lastEvent);
    const fresh = events.slice(0, end === -1 ? events.length : end);
    this.#lastEvent = events[0];
    this.#followDrains(new Set(fresh.flatMap(({ key }) => this.#endpoints.get(key)?.pool ?? [])));
    for (const event of fresh.reverse()) this.#options.onEvent(event);
  }
}

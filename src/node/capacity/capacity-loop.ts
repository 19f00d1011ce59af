import type { Config } from '../../config/model.ts';
import { type GeoMap, locate, openMap, programOf } from '../../geo/map.ts';
import type { Demand } from '../../health/capacity/capacity.ts';
import {
  type ControlledPlace,
  initialSpillState,
  recallSpills,
  type SpillState,
  stepSpills,
} from '../../health/capacity/capacity-control.ts';
import { DemandLedger } from '../../health/capacity/capacity-demand.ts';
import { type DataCenterCapacity, describeCapacity } from '../../health/capacity/capacity-report.ts';
import {
  initialLoadScale,
  type LoadScale,
  learnScale,
  scaleOf,
} from '../../health/capacity/capacity-scale.ts';
import { LoadReports } from '../../health/capacity/load-reports.ts';
import type { NamedSample } from '../../observe/samples/named-sample.ts';
import { putSpill } from '../../snapshot/spill-table.ts';
import type { RandomSource } from '../../steering/program.ts';
import { runProgram } from '../../steering/run-program.ts';
import { type KeptSpills, putSpills } from '../boot/spill-file.ts';
import {
  type ConfiguredPlace,
  configuredPlaces,
  hasPlan,
  type PlaceView,
  viewPlace,
} from './capacity-places.ts';

/** Demand changes over minutes; a failure does not wait for this. */
const TICK_MS = 5_000;
/** A storm of verdicts is planned for this often at most. */
const SOON_MS = 250;
/** A node that goes on with the spills of its last run has by then seen enough queries to judge them. */
const HOLD_MS = 30_000;
/** While clients are on the move, loads say nothing of the scale: two lifetimes of the usual answers. */
const MOVES_SETTLE_MS = 240_000;
/** Longest order that a map gives; see `MAX_DATA_CENTERS`. */
const MAX_ORDER = 256;

export interface CapacityLoopOptions {
  readonly spills: Uint16Array<SharedArrayBuffer>;
  readonly verdicts: Uint8Array;
  readonly random: RandomSource;
  /** The spills of the last run. */
  readonly kept: KeptSpills;
  readonly keep: (spills: KeptSpills) => void;
  /** Milliseconds on a clock that never goes back. */
  readonly nowMs: () => number;
}

/** Who knows the numbers and images of what is served. */
export interface CapacityNumbers {
  readonly dataCenterNumber: (name: string) => number | undefined;
  readonly dataCenterName: (number: number) => string | undefined;
  readonly slotOf: (endpointKey: string) => number;
  readonly mapImageOf: (config: Config, steeredName: string) => SharedArrayBuffer | undefined;
}

/**
 * Plans spills from demand, capacities and verdicts, and stores them into the table that queries read.
 *
 *     samples of queries --> ledger --.
 *     reports of load -----> scale ---+--> controller --> spill table
 *     verdict table ------------------'
 *
 * Every few seconds, and at once when verdicts change: the demand is then known already, so that those who come because
 * of a failure find the places that have room.
 */
export class CapacityLoop {
  readonly #options: CapacityLoopOptions;
  readonly #reports = new LoadReports();
  readonly #order = new Uint16Array(MAX_ORDER);
  readonly #opened = new WeakMap<SharedArrayBuffer, GeoMap>();
  readonly #startedAtMs: number;
  readonly #timer: NodeJS.Timeout;
  #ledger: DemandLedger;
  #config: Config | undefined;
  #numbers: CapacityNumbers | undefined;
  #places: readonly ConfiguredPlace[] = [];
  #views: readonly PlaceView[] = [];
  #plans = false;
  #state: SpillState = initialSpillState;
  #scale: LoadScale = initialLoadScale;
  #movedAtMs = Number.NEGATIVE_INFINITY;
  #plannedAtMs = Number.NEGATIVE_INFINITY;
  #soon: NodeJS.Timeout | undefined;

  constructor(options: CapacityLoopOptions) {
    this.#options = options;
    this.#startedAtMs = options.nowMs();
    this.#ledger = new DemandLedger(this.#startedAtMs);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Follows a configuration once it is served. */
  follow(config: Config, numbers: CapacityNumbers): void {
    const before = this.#config;
    this.#config = config;
    this.#numbers = numbers;
    if (before?.dataCenters === config.dataCenters && before.pools === config.pools) return;
    const known = new Set(this.#places.map(({ number }) => number));
    this.#places = configuredPlaces(config, numbers.dataCenterNumber, numbers.slotOf);
    for (const { number } of this.#places) known.delete(number);
    // Whoever gets the number next begins with everybody kept.
    for (const number of known) putSpill(this.#options.spills, number, { home: 0, guest: 0 });
    const plans = hasPlan(this.#places);
    if (plans && !this.#plans) this.#ledger = new DemandLedger(this.#options.nowMs());
    this.#plans = plans;
    if (before === undefined && plans) this.#recall();
    this.#plan();
  }

  /** Verdicts changed; the verdict table already says so. */
  verdictsChanged(): void {
    if (!this.#plans || this.#soon !== undefined) return;
    const waitMs = this.#plannedAtMs + SOON_MS - this.#options.nowMs();
    if (waitMs <= 0) this.#plan();
    else
      this.#soon = setTimeout(() => {
        this.#soon = undefined;
        this.#plan();
      }, waitMs);
  }

  /** Counts a sampled query that stands for so many samples. */
  addSample({ sample, name, dataCenter }: NamedSample, scale: number): void {
    if (!this.#plans || !sample.steered || dataCenter === undefined || name === undefined) return;
    const { client, weight } = sample;
    const pool = this.#config?.steeredNames.get(name)?.value.pool;
    const order = client.length === 0 ? undefined : this.#orderOf(name, client);
    if (pool !== undefined && order !== undefined)
      this.#ledger.add(pool, order, weight * scale, this.#options.nowMs());
  }

  /** Takes in a data center's report; false where there is no such data center. */
  report(
    dataCenter: string,
    report: { readonly load: number; readonly capacity?: number | undefined; readonly leaseSeconds: number },
  ): boolean {
    if (this.#config?.dataCenters.has(dataCenter) !== true) return false;
    const atMs = this.#options.nowMs();
    const { load, capacity, leaseSeconds } = report;
    this.#reports.put(dataCenter, { load, capacity, atMs, expiresAtMs: atMs + leaseSeconds * 1000 });
    return true;
  }

  /** What an endpoint said of itself by a push or in the header of a probe's answer. */
  endpointLoad(key: string, load: number, capacity: number | undefined): void {
    if (this.#plans) this.#reports.putEndpoint(key, load, capacity, this.#options.nowMs());
  }

  /** Every data center, by name. */
  capacity(): readonly DataCenterCapacity[] {
    const nowMs = this.#options.nowMs();
    return this.#places
      .flatMap((place, index) => {
        const spill = this.#state.spills.get(place.name);
        const report = this.#reports.loadOf(place.name, this.#views[index]?.upEndpoints ?? [], nowMs);
        const capacity = report?.capacity ?? this.#views[index]?.capacity;
        return spill === undefined ? [] : [describeCapacity(place.name, spill, capacity, report, nowMs)];
      })
      .sort((one, other) => (one.dataCenter < other.dataCenter ? -1 : 1));
  }

  close(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
    this.#keep();
  }

  #tick(): void {
    if (!this.#plans) return;
    this.#plan();
    const keys = new Set(this.#places.flatMap(({ endpoints }) => endpoints.map(({ key }) => key)));
    const isDataCenter = (name: string): boolean => this.#config?.dataCenters.has(name) === true;
    this.#reports.keepOnly(isDataCenter, (key) => keys.has(key), this.#options.nowMs());
    this.#keep();
  }

  #plan(): void {
    const { spills, verdicts, nowMs } = this.#options;
    const now = nowMs();
    this.#plannedAtMs = now;
    this.#views = this.#places.map((place) => viewPlace(place, verdicts));
    const places = this.#places.map(({ name, rampSeconds }, index): ControlledPlace => {
      const { state, upEndpoints, capacity } = this.#views[index] ?? NOTHING_SEEN;
      const reported = this.#reports.loadOf(name, upEndpoints, now)?.capacity;
      return { name, rampSeconds, state, capacity: reported ?? capacity };
    });
    if (this.#isHeld(now)) return;
    const moves = places.some(({ name, state }) => this.#state.spills.get(name)?.state !== state);
    if (moves) this.#movedAtMs = now;
    else this.#learn(now);
    this.#state = stepSpills(this.#state, places, this.#demand(now), now);
    for (const { name, number } of this.#places) {
      const spill = this.#state.spills.get(name);
      if (spill !== undefined) putSpill(spills, number, spill);
    }
  }

  /** Goes on from the spills of the last run. */
  #recall(): void {
    const { kept, spills } = this.#options;
    const names: (string | null)[] = [];
    for (const { name, number } of this.#places) names[number] = name;
    putSpills(
      spills,
      kept,
      Array.from(names, (name) => name ?? null),
    );
    this.#state = recallSpills(kept, this.#options.nowMs());
  }

  #learn(now: number): void {
    if (now < this.#movedAtMs + MOVES_SETTLE_MS && this.#scale.overall !== undefined) return;
    const compared = this.#places.flatMap(({ name }, index) => {
      const report = this.#reports.loadOf(name, this.#views[index]?.upEndpoints ?? [], now);
      const spill = this.#state.spills.get(name);
      return report === undefined || spill === undefined || spill.ramp > 0
        ? []
        : [{ name, reported: report.load, flow: spill.flow }];
    });
    this.#scale = learnScale(this.#scale, compared, now);
  }

  #demand(now: number): readonly Demand[] {
    const positions = new Map(this.#places.map(({ name }, position) => [name, position]));
    return this.#ledger.rates(now).flatMap(({ pool, order, rate }) => {
      const route = order.flatMap((name) => {
        const position = positions.get(name);
        return position !== undefined && this.#views[position]?.pools.has(pool) ? [position] : [];
      });
      const [home] = order;
      if (route.length === 0 || home === undefined) return [];
      return [
        { route, own: this.#places[route[0] ?? -1]?.name === home, rate: rate * scaleOf(this.#scale, home) },
      ];
    });
  }

  /** The client's order of data centers for a steered name, by name. */
  #orderOf(steeredName: string, client: Uint8Array): readonly string[] | undefined {
    const numbers = this.#numbers;
    const image = this.#config && numbers?.mapImageOf(this.#config, steeredName);
    if (numbers === undefined || image === undefined) return undefined;
    const map = this.#opened.get(image) ?? openMap(image);
    this.#opened.set(image, map);
    const leaf = locate(map, client.length === 4 ? 4 : 6, client);
    const length = runProgram(map, programOf(leaf), this.#options.random, this.#order);
    return Array.from(this.#order.subarray(0, length), (number) => numbers.dataCenterName(number) ?? '');
  }

  /** Whether the last run's spills hold, because too few queries were seen yet. */
  #isHeld(now: number): boolean {
    return this.#options.kept.size > 0 && now < this.#startedAtMs + HOLD_MS;
  }

  #keep(): void {
    if (!this.#plans || this.#isHeld(this.#options.nowMs())) return;
    this.#options.keep(
      new Map(Array.from(this.#state.spills, ([name, { home, guest }]) => [name, { home, guest }])),
    );
  }
}

const NOTHING_SEEN: PlaceView = { state: 'unknown', capacity: undefined, pools: new Set(), upEndpoints: [] };

import type { Config } from '../../config/model.ts';
import { policyTrees } from '../../config/policy-trees.ts';
import type { Parsed } from '../../config/problem.ts';
import { type Address, formatAddress } from '../../dns/address.ts';
import type { ClientLocation } from '../../geo/location.ts';
import { checkBatch, type SentLine } from '../../latency/check-batch.ts';
import type { GroupFigures } from '../../latency/decide-group.ts';
import { describeGroup } from '../../latency/describe.ts';
import { groupLimits, isSameFigures, measuredFigures } from '../../latency/figures.ts';
import { IntakeRate } from '../../latency/intake-rate.ts';
import type { ClientLatency, LatencySummary } from '../../latency/latency-state.ts';
import type { LatencyLedger } from '../../latency/ledger.ts';
import { type Measurement, sortedMeasurements } from '../../latency/measurement.ts';
import { countGroups, DecisionPass, type PassResult } from '../../latency/pass.ts';
import { ranksByLatency } from '../../steering/fill-measured.ts';
import { groupsOfClient, type MeasuredFigures } from '../../steering/measured.ts';

/** Whether something is to be decided is looked at this often. */
const TICK_MS = 5_000;

/** Maps take a second to compile and are written to disk, so that they are published this often at most. */
const PUBLISH_MS = 60_000;

/** Ages count without new measurements, too. */
const IDLE_PASS_MS = 60_000;

/** A decision takes this share of the main thread at most. */
const PASS_SHARE = 20;

/** Groups that are decided over in one go: well under a millisecond. */
const STEP_GROUPS = 100;

/** A crash loses no more than this. */
const KEEP_MS = 300_000;

export interface LatencyLoopOptions {
  readonly ledger: LatencyLedger;
  /** What steered when the node was last here. */
  readonly steering: ReadonlyMap<string, GroupFigures>;
  readonly config: () => Config;
  readonly locate: (client: Address) => ClientLocation;
  /** Resolves when the figures steer. */
  readonly publish: (figures: MeasuredFigures) => Promise<void>;
  /** Keeps what is known for the next start. */
  readonly keep: (steering: ReadonlyMap<string, GroupFigures>) => Promise<void>;
  readonly onFailure: (error: unknown, what: 'publish' | 'keep') => void;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** Milliseconds on a clock that never goes back. */
  readonly steadyMs: () => number;
  /** Lets others go on. */
  readonly pause: () => Promise<void>;
}

/** What a batch comes to: all of it is taken, or nothing. */
export type BatchOutcome =
  | { readonly kind: 'taken'; readonly count: number }
  | { readonly kind: 'refused'; readonly parsed: Extract<Parsed<never>, { readonly ok: false }> }
  | { readonly kind: 'too-many'; readonly waitMs: number };

/**
 * Takes measurements in, decides over them, and publishes what changes.
 *
 *     batch -> ledger --(every few seconds, in steps)--> decisions --(at most once a minute)--> maps
 */
export class LatencyLoop {
  readonly #options: LatencyLoopOptions;
  readonly #rate: IntakeRate;
  readonly #timer: NodeJS.Timeout;
  #config: Config | undefined;
  #ranks = false;
  #steering: ReadonlyMap<string, GroupFigures>;
  #figures: MeasuredFigures;
  #known: LatencySummary['groups'] = { prefix: 0, asn: 0, country: 0 };
  #counts = { taken: 0, invalid: 0, tooMany: 0 };
  #newestAtMs: number | undefined;
  #decidedAtMs: number | undefined;
  #publishedAtMs: number | undefined;
  /** Since the last pass, and since what is known was last kept. */
  #isNew = false;
  #isUnkept = false;
  #running: Promise<void> | undefined;
  /** On the steady clock. */
  #nextPassMs = Number.NEGATIVE_INFINITY;
  #idlePassMs = Number.NEGATIVE_INFINITY;
  #nextKeepMs: number;

  constructor(options: LatencyLoopOptions) {
    const { steering, steadyMs } = options;
    this.#options = options;
    this.#rate = new IntakeRate(steadyMs());
    this.#steering = steering;
    this.#figures = measuredFigures(steering);
    this.#nextKeepMs = steadyMs() + KEEP_MS;
    this.#timer = setInterval(() => void this.tick(), TICK_MS);
  }

  /** Takes a batch in; `sender` is who `self` means. */
  take(lines: readonly SentLine[], sender: Address | undefined): BatchOutcome {
    this.#follow();
    const { nowMs, steadyMs } = this.#options;
    const dataCenters = this.#config?.dataCenters;
    const hasDataCenter = (name: string): boolean => dataCenters?.has(name) === true;
    const batch = checkBatch(lines, { nowMs: nowMs(), hasDataCenter, sender });
    if (!batch.ok) {
      this.#counts.invalid += lines.length;
      return { kind: 'refused', parsed: batch };
    }
    const count = batch.value.length;
    const waitMs = this.#rate.take(count, steadyMs());
    if (waitMs > 0) {
      this.#counts.tooMany += count;
      return { kind: 'too-many', waitMs };
    }
    for (const measurement of sortedMeasurements(batch.value)) this.#add(measurement);
    this.#counts.taken += count;
    this.#isNew = true;
    this.#isUnkept = true;
    return { kind: 'taken', count };
  }

  /** Counts measurements that could not be read at all. */
  countInvalid(count: number): void {
    this.#counts.invalid += count;
  }

  summary(): LatencySummary {
    this.#follow();
    const { sketches, cells } = this.#options.ledger.size;
    return {
      groups: this.#known,
      steering: countGroups(this.#steering.keys()),
      limits: groupLimits,
      sketches,
      cells,
      measurements: { ...this.#counts },
      ...times({
        newestAt: this.#newestAtMs,
        decidedAt: this.#decidedAtMs,
        publishedAt: this.#publishedAtMs,
      }),
      ranks: this.#ranks,
    };
  }

  /** What decides for a client, and why. */
  client(address: Address): ClientLatency {
    this.#follow();
    const { ledger, locate, nowMs } = this.#options;
    const location = locate(address);
    const groups = groupsOfClient(address.family, address.octets, location).map((group) =>
      describeGroup(ledger, group, this.#steering.get(group), nowMs()),
    );
    const decidedBy = groups.find(({ steers }) => steers)?.group ?? null;
    return {
      client: formatAddress(address.octets),
      asn: location.asn,
      country: location.country,
      decidedBy,
      why: this.#whyOf(decidedBy),
      groups,
    };
  }

  /** Decides and publishes, and keeps, as far as it is time to. Never rejects. */
  tick(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
    await this.#keep();
  }

  /** Follows the configuration that is served. */
  #follow(): void {
    const before = this.#config;
    const config = this.#options.config();
    this.#config = config;
    if (before?.policies !== config.policies)
      this.#ranks = [...policyTrees(config).values()].some((tree) => ranksByLatency(tree));
    if (before === undefined || before.dataCenters === config.dataCenters) return;
    for (const [name, { value }] of before.dataCenters) {
      const now = config.dataCenters.get(name)?.value;
      if (now === undefined) this.#options.ledger.forgetDataCenter(name, 'all');
      else if (now.latitude !== value.latitude || now.longitude !== value.longitude)
        this.#options.ledger.forgetDataCenter(name, 'detours');
      else continue;
      this.#isNew = true;
    }
  }

  #add(measurement: Measurement): void {
    const { ledger, locate } = this.#options;
    const place = this.#config?.dataCenters.get(measurement.dataCenter)?.value;
    if (place === undefined) return;
    ledger.add(measurement, locate(measurement.client), place);
    this.#newestAtMs = Math.max(this.#newestAtMs ?? 0, measurement.atMs);
  }

  #whyOf(decidedBy: string | null): string {
    if (!this.#ranks) return 'No policy ranks by latency, so that nothing measured steers.';
    if (decidedBy === null)
      return 'No group of the client has enough fresh measurements, so that distance decides.';
    return `The figures of ${decidedBy} decide wherever a pool has two or more of its data centers.`;
  }

  async #run(): Promise<void> {
    this.#follow();
    const { steadyMs } = this.#options;
    const startMs = steadyMs();
    const isDue = startMs >= this.#nextPassMs && (this.#isNew || startMs >= this.#idlePassMs);
    if (isDue && this.#hasAnything()) await this.#decide(startMs);
    if (startMs < this.#nextKeepMs) return;
    this.#nextKeepMs = startMs + KEEP_MS;
    await this.#keep();
  }

  #hasAnything(): boolean {
    return this.#options.ledger.size.groups > 0 || this.#steering.size > 0;
  }

  async #decide(startMs: number): Promise<void> {
    const { ledger, nowMs, steadyMs, pause } = this.#options;
    this.#isNew = false;
    const pass = new DecisionPass(ledger, this.#steering, nowMs());
    let busyMs = 0;
    for (let more = true; more; ) {
      const stepMs = steadyMs();
      more = pass.step(STEP_GROUPS);
      busyMs += steadyMs() - stepMs;
      if (more) await pause();
    }
    const result = pass.result();
    this.#known = result.known;
    this.#decidedAtMs = nowMs();
    this.#nextPassMs = startMs + busyMs * PASS_SHARE;
    this.#idlePassMs = startMs + IDLE_PASS_MS;
    if (!this.#ranks) return;
    if (isSameFigures(this.#figures, result.figures)) this.#steering = result.groups;
    else await this.#publish(result);
  }

  async #publish({ groups, figures }: PassResult): Promise<void> {
    const { publish, onFailure, nowMs, steadyMs } = this.#options;
    this.#nextPassMs = steadyMs() + PUBLISH_MS;
    try {
      await publish(figures);
    } catch (error) {
      onFailure(error, 'publish');
      return;
    }
    this.#steering = groups;
    this.#figures = figures;
    this.#publishedAtMs = nowMs();
    this.#isUnkept = true;
  }

  async #keep(): Promise<void> {
    if (!this.#isUnkept) return;
    this.#isUnkept = false;
    try {
      await this.#options.keep(this.#steering);
    } catch (error) {
      this.#isUnkept = true;
      this.#options.onFailure(error, 'keep');
    }
  }
}

/** RFC 3339, as far as they are known. */
function times<K extends string>(ms: Readonly<Record<K, number | undefined>>): Partial<Record<K, string>> {
  const known = Object.entries<number | undefined>(ms).flatMap(([name, at]) =>
    at === undefined ? [] : [[name, new Date(at).toISOString()] as const],
  );
  return Object.fromEntries(known) as Partial<Record<K, string>>;
}

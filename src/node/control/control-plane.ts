import type {
  BackupReport,
  ControlPlane,
  Demo,
  EndpointReport,
  ExplainedDecision,
  ExplainQuestion,
  NodeStatus,
  ReportOutcome,
  WriteOutcome,
  ZoneRRsets,
} from '../../api/control-plane.ts';
import { previewConfig } from '../../config/apply-changes.ts';
import { checkConfig } from '../../config/check.ts';
import { writeRefusals } from '../../config/introduced-problems.ts';
import type { Authorship, Change, Config } from '../../config/model.ts';
import type { Parsed, Problem } from '../../config/problem.ts';
import type { ZoneShape } from '../../config/zone-shape.ts';
import { type GeoTable, openGeoTable } from '../../geo/table.ts';
import type { EndpointHealth, VantageSight } from '../../health/endpoint-health.ts';
import type { PushSource } from '../../health/push-sources.ts';
import { openSnapshot, type Snapshot } from '../../snapshot/snapshot.ts';
import { type MeasuredFigures, NOTHING_MEASURED } from '../../steering/measured.ts';
import type { Conflict } from '../../store/conflicts/conflict.ts';
import type { ReplicatedStore } from '../../store/replicated-store.ts';
import { StoreError } from '../../store/store-error.ts';
import type { Compiler } from '../compile/compiler.ts';
import type { MapInputs, Publisher } from '../compile/publisher.ts';
import type { DnsOutlet } from '../dns-outlet.ts';
import type { HealthLoop } from '../health/health-loop.ts';
import { blobZoneRRsets, blobZoneText } from '../zones/blob-zone.ts';
import type { PreparedDirectory } from '../zones/directory-owner.ts';
import type { ZoneFiles } from '../zones/zone-files.ts';
import { ChangeFeed } from './change-feed.ts';
import { QueryExplainer } from './explain-query.ts';
import { geoStatus } from './geo-status.ts';
import { keepBackup } from './keep-backup.ts';
import { servingConditions, verdictCondition } from './node-conditions.ts';
import { nodeProblems } from './node-problems.ts';
import { refuseEdits } from './refuse-edits.ts';

/** What the node's parts do for the control plane. */
export interface ControlPlaneParts {
  readonly store: ReplicatedStore;
  readonly dataDirectory: string;
  /** What is to be served, where that is not what the store holds: a node with delayed input. */
  readonly served?: () => Config;
  readonly publisher: Publisher;
  readonly health: HealthLoop;
  /** Other parts that can be wrong: the history and the alert channels, the cluster. */
  readonly moreProblems: () => readonly Problem[];
  readonly demo: Demo | undefined;
  readonly version: string;
  readonly nowMs: () => number;
  readonly outlet: DnsOutlet;
  readonly compiler: Pick<Compiler, 'run'>;
  readonly zoneFiles: ZoneFiles;
}

interface WaitingWrite {
  readonly changes: readonly Change[];
  readonly authorship: Authorship;
  readonly resolve: (outcome: WriteOutcome) => void;
  readonly reject: (reason: unknown) => void;
}

/** The author of what a directory's files say. */
const DIRECTORY_AUTHORSHIP: Authorship = {
  author: 'directory',
  reason: 'the configuration directory says so',
};

/** The node as its API sees it: writes one after the other, reads of what is committed. */
export class NodeControlPlane implements ControlPlane {
  readonly #parts: ControlPlaneParts;
  readonly #feed = new ChangeFeed();
  readonly #explainer = new QueryExplainer();
  readonly #startedAt: string;
  #shapes: ReadonlyMap<string, ZoneShape> = new Map();
  #configProblems: readonly Problem[] = [];
  #directoryProblems: readonly Problem[] = [];
  #geoProblems: readonly Problem[] = [];
  #geoTable: SharedArrayBuffer;
  #openTable: GeoTable;
  #measured: MeasuredFigures = NOTHING_MEASURED;
  /** Resolves when the geo table, or the measurements, that came last are in use. */
  #mapTurn: Promise<void> = Promise.resolve();
  #snapshot: Snapshot | undefined;
  #published: Config | undefined;
  readonly #waiting: WaitingWrite[] = [];
  /** Why the last commit failed; undefined once one has succeeded again. */
  #storeFailure: string | undefined;
  /** Writes, what reloads come to, and new geo tables take turns: each is checked against what the one before it left. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Resolves when the reload that came last is carried out. */
  #reloadTurn: Promise<unknown> = Promise.resolve();

  constructor(parts: ControlPlaneParts, geoTable: SharedArrayBuffer) {
    this.#parts = parts;
    this.#geoTable = geoTable;
    this.#openTable = openGeoTable(geoTable);
    this.#startedAt = new Date(parts.nowMs()).toISOString();
  }

  get config(): Config {
    return this.#parts.store.config;
  }

  get demo(): Demo | undefined {
    return this.#parts.demo;
  }

  write(changes: readonly Change[], authorship: Authorship): Promise<WriteOutcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ changes, authorship, resolve, reject });
      // The first to wait asks for a turn; whoever comes until then goes with it.
      if (this.#waiting.length === 1) void this.inTurn(() => this.#writeAll(this.#waiting.splice(0)));
    });
  }

  /**
   * Makes the store follow a directory; all problems and no change when anything is wrong with it. Writes go on while
   * the directory is read and its zones are compiled; reloads are carried out in the order in which they come.
   */
  follow(prepare: (config: Config) => Promise<Parsed<PreparedDirectory>>): Promise<readonly Problem[]> {
    const followed = this.#reloadTurn.then(async () => {
      const prepared = await prepare(this.config);
      const problems = await this.inTurn(() => this.#carryOut(prepared));
      // Not between a preparation and its commit, whose blobs no zone refers to yet.
      if (problems.length === 0) await this.#parts.store.sweepBlobs();
      return problems;
    });
    this.#reloadTurn = followed.catch(() => undefined);
    return followed;
  }

  /** Compiles and publishes what the store holds; once at start, before anything else may write. */
  publishAll(): Promise<void> {
    return this.inTurn(async () => {
      this.#configProblems = checkConfig(this.config, { shapes: this.#shapes });
      await this.#publish();
    });
  }

  /**
   * Goes over to another geo table: compiles every map anew and publishes. Writes go on while maps are compiled;
   * tables are taken in the order in which they come.
   */
  useGeoTable(table: SharedArrayBuffer): Promise<void> {
    return this.#renewMaps(
      () => ({ geoTable: table, measured: this.#measured }),
      () => {
        this.#openTable = openGeoTable(table);
        this.#geoProblems = [];
      },
    );
  }

  /** Goes over to other measurements, in the same way; compiles only the maps that rank by them. */
  useMeasured(measured: MeasuredFigures): Promise<void> {
    return this.#renewMaps(() => ({ geoTable: this.#geoTable, measured }));
  }

  /** The measurements that the first publication steers by. */
  startMeasured(measured: MeasuredFigures): void {
    this.#measured = measured;
  }

  /**
   * Publishes what peers have written into the store. It is there already, so nobody is asked: what is broken in it is
   * told as a problem and left out. Rejects where it could not be published; it is with the next write then.
   */
  adoptStored(): Promise<void> {
    return this.inTurn(async () => {
      if (this.#served === this.#published) return;
      this.#configProblems = checkConfig(this.config, { shapes: this.#shapes });
      await this.#publish();
    });
  }

  /** The geo files cannot be used; the table in use stays. */
  reportGeoProblems(problems: readonly Problem[]): void {
    this.#geoProblems = problems;
    this.#feed.announce();
  }

  problems(): readonly Problem[] {
    return nodeProblems(this.#parts, {
      read: [...this.#directoryProblems, ...this.#geoProblems],
      config: this.#configProblems,
    });
  }

  conflicts(): readonly Conflict[] {
    return this.#parts.store.conflicts();
  }

  async resolveConflict(id: string, choice: string, authorship: Authorship): Promise<WriteOutcome> {
    try {
      const config = await this.inTurn(() => this.#parts.store.resolveConflict(id, choice, authorship));
      await this.adoptStored();
      return { ok: true, config };
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'refused') throw error;
      return { ok: false, problems: [{ code: 'not-resolved', path: id, message: error.message }] };
    }
  }

  health(): readonly EndpointHealth[] {
    return this.#parts.health.health();
  }

  vantages(): readonly VantageSight[] {
    return this.#parts.health.vantages();
  }

  report(sources: readonly PushSource[], report: EndpointReport): ReportOutcome {
    return this.#parts.health.report(sources, report);
  }

  decide(question: ExplainQuestion): ExplainedDecision {
    if (this.#snapshot === undefined) throw new Error('nothing is published yet');
    const { publisher } = this.#parts;
    return {
      ...this.#explainer.ask(this.#snapshot, this.#openTable, question),
      measured: this.#measured,
      dataCenterName: (index) => publisher.dataCenterName(index) ?? '',
      endpointName: (slot) => publisher.endpointName(slot) ?? '',
    };
  }

  zoneText(apex: string): string | undefined {
    return blobZoneText(this.config, this.#parts.store, apex);
  }

  zoneRRsets(apex: string): ZoneRRsets | undefined {
    return blobZoneRRsets(this.config, apex, this.#parts);
  }

  backup(): Promise<BackupReport> {
    return keepBackup(this.#parts.store, this.#parts.dataDirectory, this.#parts.nowMs());
  }

  /** The part of the status that peers are told every few seconds: it does not look at endpoints. */
  serving(): Pick<NodeStatus, 'version' | 'generation' | 'conditions' | 'dns'> {
    const dns = this.#parts.outlet.addresses();
    const conditions = servingConditions({ listening: dns, storeFailure: this.#storeFailure });
    return { version: this.#parts.version, generation: this.config.generation, conditions, dns };
  }

  status(): NodeStatus {
    const serving = this.serving();
    const conditions = [...serving.conditions, verdictCondition(this.health())];
    return {
      ...serving,
      startedAt: this.#startedAt,
      ready: conditions.every(({ holds }) => holds),
      conditions,
      geo: geoStatus(this.#openTable, this.#parts.nowMs()),
    };
  }

  get geoTable(): GeoTable {
    return this.#openTable;
  }

  subscribe(listener: () => void): () => void {
    return this.#feed.subscribe(listener);
  }

  /** Something that is shown has changed, such as verdicts: the table that queries read says so already. */
  announce(): void {
    this.#feed.announce();
  }

  /** Waits for the write under way; none may follow. */
  async close(): Promise<void> {
    await this.#reloadTurn;
    await this.#turn;
    this.#feed.close();
  }

  #renewMaps(inputs: () => MapInputs, onUse?: () => void): Promise<void> {
    const used = this.#mapTurn.then(async () => {
      const next = inputs();
      await this.#parts.publisher.prepareMaps(this.config, next);
      await this.inTurn(async () => {
        this.#geoTable = next.geoTable;
        this.#measured = next.measured;
        onUse?.();
        await this.#publish();
      });
    });
    this.#mapTurn = used.catch(() => undefined);
    return used;
  }

  async #carryOut(prepared: Parsed<PreparedDirectory>): Promise<readonly Problem[]> {
    const planned = prepared.ok ? await prepared.value.plan(this.config) : prepared;
    this.#directoryProblems = planned.ok ? [] : planned.problems;
    this.#feed.announce();
    if (!planned.ok) return planned.problems;
    const { changes, shapes } = planned.value;
    this.#shapes = shapes;
    const after = checkConfig(previewConfig(this.config, changes), { shapes });
    if (changes.length > 0) await this.#commit(changes, DIRECTORY_AUTHORSHIP, after);
    else this.#configProblems = after;
    return [];
  }

  /** Whatever goes wrong, nobody is left waiting. */
  async #writeAll(writes: readonly WaitingWrite[]): Promise<void> {
    try {
      await this.#writeTogether(writes);
    } catch (error) {
      for (const { reject } of writes) reject(error);
    }
  }

  /** Checks writes one after the other, then commits them with one flush and publishes them once. */
  async #writeTogether(writes: readonly WaitingWrite[]): Promise<void> {
    const accepted: WaitingWrite[] = [];
    let config = this.config;
    let problems = this.#configProblems;
    for (const write of writes) {
      const next = previewConfig(config, write.changes);
      const after = checkConfig(next, { shapes: this.#shapes });
      const refusals = refuseEdits(config, this.#parts.store.problems(), write.changes);
      if (refusals.length === 0) refusals.push(...writeRefusals(problems, after, write.changes));
      if (refusals.length > 0) write.resolve({ ok: false, problems: refusals });
      else {
        accepted.push(write);
        config = next;
        problems = after;
      }
    }
    if (accepted.length === 0) return;
    const commits = await Promise.allSettled(
      accepted.map(({ changes, authorship }) => this.#parts.store.commit(changes, authorship)),
    );
    const failed = commits.find((commit) => commit.status === 'rejected');
    this.#storeFailure = failed === undefined ? undefined : String(failed.reason?.message ?? failed.reason);
    const whole = failed === undefined;
    this.#configProblems = whole ? problems : checkConfig(this.config, { shapes: this.#shapes });
    await this.#settle(accepted, commits);
  }

  /** Answers writes once they are published; one that is durable but could not be published is told as failed. */
  async #settle(
    writes: readonly WaitingWrite[],
    commits: readonly PromiseSettledResult<Config>[],
  ): Promise<void> {
    let unpublished: unknown;
    try {
      if (commits.some(({ status }) => status === 'fulfilled')) await this.#publish();
    } catch (error) {
      unpublished = error;
    }
    for (const [index, write] of writes.entries()) {
      const commit = commits[index];
      if (commit?.status !== 'fulfilled') write.reject(commit?.reason);
      else if (unpublished !== undefined) write.reject(unpublished);
      else write.resolve({ ok: true, config: commit.value });
    }
  }

  async #commit(
    changes: readonly Change[],
    authorship: Authorship,
    problems: readonly Problem[],
  ): Promise<void> {
    await this.#parts.store.commit(changes, authorship);
    this.#configProblems = problems;
    await this.#publish();
  }

  /** What the store holds, but on a node with delayed input. */
  get #served(): Config {
    return this.#parts.served?.() ?? this.config;
  }

  async #publish(): Promise<void> {
    const config = this.#served;
    const { publisher, health } = this.#parts;
    const message = await publisher.build(config, this.#geoTable, this.#measured);
    // Before the images go out: an endpoint's slot must hold its verdict when the first query reads it.
    health.configure(config, (key) => publisher.slotOf(key));
    await this.#parts.outlet.publish(message);
    this.#snapshot = openSnapshot(message);
    this.#published = config;
    this.#feed.announce();
  }

  /** Runs a step that no write and no publication comes between. */
  inTurn<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(step);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

import type { Decision } from '../answer/decision.ts';
import type { Authorship, Change, Config } from '../config/model.ts';
import type { Problem } from '../config/problem.ts';
import type { RRset } from '../config/resources/rrset.ts';
import type { ClientLocation } from '../geo/location.ts';
import type { EndpointHealth, VantageSight } from '../health/endpoint-health.ts';
import type { PushSource } from '../health/push-sources.ts';
import type { MeasuredFigures } from '../steering/measured.ts';
import type { Conflict } from '../store/conflicts/conflict.ts';

/** What the API needs of the running node; `node/` provides it, tests of routes provide a small real one. */
export interface ControlPlane {
  /** The configuration as committed; immutable, so it may be kept for the length of a request. */
  readonly config: Config;
  /**
   * Checks the configuration that the changes would give, commits them, compiles and publishes.
   * Resolves when the write is durable and every DNS worker answers from it.
   */
  write(changes: readonly Change[], authorship: Authorship): Promise<WriteOutcome>;
  /** What is wrong at present: config, geo table, compile. */
  problems(): readonly Problem[];
  /** Every endpoint with its verdict, since when, and the last probe's evidence. */
  health(): readonly EndpointHealth[];
  /** The vantages that should vote, and how much each of them sees. */
  vantages(): readonly VantageSight[];
  /** Takes in what an endpoint reports of itself, for all of the sources. */
  report(sources: readonly PushSource[], report: EndpointReport): ReportOutcome;
  /** Runs `respond` on a real query and returns what it decided, with what is needed to tell it. */
  decide(question: ExplainQuestion): ExplainedDecision;
  /** Records of a zone that lives in a blob, as zone-file lines; undefined for an unknown zone. */
  zoneText(apex: string): string | undefined;
  /** The same zone RRset by RRset. */
  zoneRRsets(apex: string): ZoneRRsets | undefined;
  /** Whatever was written on several nodes without knowledge of each other. */
  conflicts(): readonly Conflict[];
  /** Writes one of a conflict's values over all of them; refused when there is no such conflict or choice any more. */
  resolveConflict(id: string, choice: string, authorship: Authorship): Promise<WriteOutcome>;
  /** Writes a backup into the data directory while the node goes on; rejects where the disk does not take it. */
  backup(): Promise<BackupReport>;
  status(): NodeStatus;
  /** Calls back after every change of config, verdicts or problems; at most a few times a second. */
  subscribe(listener: () => void): () => void;
  /** The demo's data centers; undefined unless the node runs the demo. */
  readonly demo: Demo | undefined;
}

/** The RRsets of a zone that lives in a blob; there may be millions, so that they are never all at hand. */
export interface ZoneRRsets {
  /** By `rrsetKey`. */
  get(key: string): RRset | undefined;
  /** The first RRsets with keys after the given one, in the order of their keys, and whether more follow. */
  page(
    after: string | undefined,
    limit: number,
  ): Promise<{ readonly rrsets: readonly RRset[]; readonly more: boolean }>;
}

/** What an endpoint, or whoever speaks for it, says of it. */
export interface EndpointReport {
  readonly up: boolean;
  readonly reason?: string | undefined;
  readonly load?: number | undefined;
  readonly capacity?: number | undefined;
  readonly leaseSeconds?: number | undefined;
}

/** A backup that is on disk. */
export interface BackupReport {
  /** Absolute. */
  readonly path: string;
  readonly entries: number;
  readonly octets: number;
}

export type ReportOutcome =
  | { readonly kind: 'taken'; readonly leases: readonly { readonly key: string; readonly endsAt: string }[] }
  | { readonly kind: 'too-soon'; readonly waitMs: number };

export type WriteOutcome =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export interface ExplainQuestion {
  /** Absolute name in presentation form. */
  readonly name: string;
  /** Mnemonic or TYPEn. */
  readonly type: string;
  /** Address or prefix, sent as client subnet; undefined asks as the resolver. */
  readonly client: string | undefined;
  /** The resolver's address; 127.0.0.1 unless told. */
  readonly resolver: string;
}

export interface ExplainedDecision {
  readonly decision: Decision;
  /** The complete DNS answer, as sent. */
  readonly response: Uint8Array;
  /** Where the geo table puts the client; undefined when the answer did not depend on it. */
  readonly location: ClientLocation | undefined;
  /** The measurements that steer at present. */
  readonly measured?: MeasuredFigures | undefined;
  /** Name of a data center by its number. */
  readonly dataCenterName: (index: number) => string;
  /** `pool/endpoint` by verdict slot. */
  readonly endpointName: (slot: number) => string;
}

export interface NodeStatus {
  readonly version: string;
  readonly startedAt: string;
  readonly generation: number;
  /** Ready: every listed condition holds. */
  readonly ready: boolean;
  readonly conditions: readonly { readonly name: string; readonly holds: boolean; readonly detail: string }[];
  readonly geo: {
    readonly name: string;
    readonly builtAt: string;
    /** Must be shown, with its link, wherever results of the table show; empty where the source asks for none. */
    readonly attribution: string;
    readonly attributionUrl: string;
    readonly ageSeconds: number;
  };
  readonly dns: readonly string[];
}

export interface Demo {
  list(): readonly { readonly dataCenter: string; readonly address: string; readonly broken: boolean }[];
  /** False when there is no such data center. */
  break(dataCenter: string): Promise<boolean>;
  mend(dataCenter: string): Promise<boolean>;
}

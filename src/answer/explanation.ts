import type { Config } from '../config/model.ts';
import type { ClientLocation, Coordinates } from '../geo/location.ts';
import type { EndpointHealth } from '../health/endpoint-health.ts';
import type { MeasuredFigures } from '../steering/measured.ts';
import type { ClientSource, Decision, Outcome, Tier } from './decision.ts';

/** A decision with all that is needed to tell it; `decision` and `response` come from one call of `respond`. */
export interface ExplainInput {
  readonly question: ExplainedQuestion;
  readonly decision: Decision;
  /** The complete answer, as sent; empty where nothing was. */
  readonly response: Uint8Array;
  /** Where the geo table puts the client; undefined when the answer did not depend on it. */
  readonly location: ClientLocation | undefined;
  /** The measurements that steer at present; undefined where nothing was measured. */
  readonly measured?: MeasuredFigures | undefined;
  /** Name of a data center by its number. */
  readonly dataCenterName: (index: number) => string;
  /** `pool/endpoint` by verdict slot. */
  readonly endpointName: (slot: number) => string;
  readonly config: Config;
  readonly health: readonly EndpointHealth[];
  /** Of the geo table. */
  readonly attribution: string;
}

/** Why a query gets the answer it gets, step by step. It is JSON as it stands. */
export interface Explanation {
  readonly question: ExplainedQuestion;
  readonly client: ExplainedClient;
  /** In the order in which the server takes them. */
  readonly steps: readonly ExplainedStep[];
  /** The data centers of the steered name's pool: first those of the client's order, best first. */
  readonly dataCenters: readonly ExplainedDataCenter[];
  readonly answer: ExplainedAnswer;
  /** Required wherever results of the geo table show. */
  readonly attribution: string;
}

export interface ExplainedQuestion {
  /** Absolute name in presentation form. */
  readonly name: string;
  readonly type: string;
  /** Address or prefix sent as client subnet, as asked. */
  readonly client?: string | undefined;
  /** Address the query came from. */
  readonly resolver: string;
}

export interface ExplainedClient {
  /** The address that was located; absent where the answer needs none. */
  readonly address?: string | undefined;
  /** The known part of that address, as sent: `203.0.113.0/24`. */
  readonly prefix?: string | undefined;
  readonly source: ClientSource;
  readonly location?: ExplainedLocation | undefined;
}

export interface ExplainedLocation {
  /** ISO 3166-1 alpha-2; empty where the geo table does not know. */
  readonly country: string;
  readonly subdivision: string;
  readonly continent: string;
  readonly coordinates?: Coordinates | undefined;
  /** 0 where the geo table does not know. */
  readonly asn: number;
}

export type StepKind = 'zone' | 'lookup' | 'client' | 'policy' | 'candidates' | 'choice' | 'answer';

export interface ExplainedStep {
  readonly step: StepKind;
  /** One full sentence. */
  readonly text: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface ExplainedDataCenter {
  readonly name: string;
  /** Great-circle distance from the client; absent where either place is unknown. */
  readonly distanceKm?: number | undefined;
  /** 1 is best; absent for a data center that the policy leaves out. */
  readonly rank?: number | undefined;
  /** True for the one that was answered. */
  readonly chosen: boolean;
  /** The pool's endpoints here. */
  readonly endpoints: readonly ExplainedEndpoint[];
}

export interface ExplainedEndpoint {
  /** `pool/endpoint`. */
  readonly key: string;
  readonly address: string;
  readonly verdict: EndpointHealth['verdict'];
  /** RFC 3339, UTC. */
  readonly since?: string | undefined;
  readonly reason: string;
  readonly lastResult?: EndpointHealth['lastResult'];
  /** Whether its address fits the type asked for. */
  readonly fits: boolean;
  /** True when it is in the answer. */
  readonly answered: boolean;
}

export interface ExplainedAnswer {
  readonly outcome: Outcome;
  /** Mnemonic, such as NOERROR. */
  readonly rcode: string;
  readonly tier: Tier;
  /** The answer section, one presentation line each: `www.example.org. 30 IN A 192.0.2.1`. */
  readonly records: readonly string[];
  /** Of the first record; 0 where there is none. */
  readonly ttlSeconds: number;
  /** The prefix of clients that the answer holds for (RFC 7871 scope); absent where no option was sent. */
  readonly scope?: string | undefined;
}

/** How many queries, estimated from samples. */
export interface EstimatedQueries {
  /** What the samples stand for, at least: of a key that came and went, some may be missing. */
  readonly queries: number;
  /** So many may be missing, because only the heaviest keys are kept. */
  readonly missingAtMost: number;
  /** Half the width of the interval that holds the true number 19 times in 20; 0 where every query is sampled. */
  readonly samplingError: number;
}

export interface NameTraffic extends EstimatedQueries {
  /** The steered name as it is configured; any other name as it was asked for, in lower case. */
  readonly name: string;
  readonly steered: boolean;
}

export interface PrefixTraffic extends EstimatedQueries {
  /** A /24 or /48, or shorter where the client subnet was. */
  readonly prefix: string;
}

export interface DataCenterTraffic extends EstimatedQueries {
  readonly dataCenter: string;
  /** Of all steered answers, 0 to 1. */
  readonly share: number;
}

export interface NameDataCenterTraffic extends EstimatedQueries {
  readonly name: string;
  readonly dataCenter: string;
}

/** How the figures came about. */
export interface TrafficSpan {
  /** Start and end of what is counted. */
  readonly from: string;
  readonly to: string;
  readonly sampling: {
    /** One query of so many was sampled. */
    readonly every: number;
    readonly samples: number;
    /** Samples that found no room; the others of their moment stand for them. */
    readonly dropped: number;
  };
  /** All queries. */
  readonly total: EstimatedQueries;
}

/** What this node was asked lately. Lists are heaviest first. */
export interface TrafficReport extends TrafficSpan {
  readonly names: readonly NameTraffic[];
  /** Located clients of steered names: the client subnet, else the resolver. */
  readonly clients: readonly PrefixTraffic[];
  /** Who sent the packets, whatever they asked. */
  readonly resolvers: readonly PrefixTraffic[];
  readonly dataCenters: readonly DataCenterTraffic[];
  readonly nameDataCenters: readonly NameDataCenterTraffic[];
}

export interface PrefixReport extends TrafficSpan {
  /** All queries of the kind that the prefixes are counted by. */
  readonly counted: EstimatedQueries;
  readonly items: readonly PrefixTraffic[];
}

export interface TrafficQuestion {
  /** The last so many minutes, this one among them: 1 to `MAX_TRAFFIC_MINUTES`. */
  readonly minutes: number;
  /** Most entries of each list: 1 to `MAX_TRAFFIC_ENTRIES`. */
  readonly limit: number;
  /** Only this name, in the lists by name. */
  readonly name: string | undefined;
  /** Only this data center, in the lists by data center. */
  readonly dataCenter: string | undefined;
}

export interface PrefixQuestion {
  /** The last so many minutes, this one among them: 1 to `MAX_TRAFFIC_MINUTES`. */
  readonly minutes: number;
  /** Most prefixes: 1 to `MAX_TRAFFIC_PREFIXES`. */
  readonly limit: number;
  readonly of: 'clients' | 'resolvers';
}

/** What the API asks of the node's traffic. */
export interface TrafficSource {
  traffic(question: TrafficQuestion): TrafficReport;
  prefixes(question: PrefixQuestion): PrefixReport;
}

/** How far back traffic is known: what an operator looks at in an incident. Longer is for a metrics server to keep. */
export const MAX_TRAFFIC_MINUTES = 60;

/** Most prefixes in one answer: more than one minute keeps, so that an hour's worth can be seen. */
export const MAX_TRAFFIC_PREFIXES = 10_000;

/** Most entries of any other list: about as many names as one minute keeps. */
export const MAX_TRAFFIC_ENTRIES = 500;

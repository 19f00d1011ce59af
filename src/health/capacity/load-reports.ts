/** What is known of loads at present: reports of data centers, and of single endpoints. */

/** A data center's word on itself, in load units. */
export interface LoadReport {
  readonly load: number;
  /** Outranks what is configured while the lease runs. */
  readonly capacity: number | undefined;
  readonly atMs: number;
  readonly expiresAtMs: number;
}

/** What an endpoint said of itself counts this long: longer than the usual interval of probes and pushes. */
const ENDPOINT_LOAD_MS = 120_000;

/** As many as a node follows data centers; names are checked before, so that more can only be left from before. */
const MAX_REPORTS = 1024;

/** Reports by data center, and the loads of endpoints by key. Times are the caller's milliseconds. */
export class LoadReports {
  readonly #dataCenters = new Map<string, LoadReport>();
  readonly #endpoints = new Map<string, LoadReport>();

  /** Replaces what the data center said before. */
  put(dataCenter: string, report: LoadReport): void {
    if (this.#dataCenters.size >= MAX_REPORTS && !this.#dataCenters.has(dataCenter)) return;
    this.#dataCenters.set(dataCenter, report);
  }

  /** What an endpoint said of itself by a push or in the header of a probe's answer. */
  putEndpoint(key: string, load: number, capacity: number | undefined, nowMs: number): void {
    this.#endpoints.set(key, { load, capacity, atMs: nowMs, expiresAtMs: nowMs + ENDPOINT_LOAD_MS });
  }

  /** A data center's own report, else the sum over its endpoints that are up; undefined where nothing is fresh. */
  loadOf(dataCenter: string, upEndpoints: readonly string[], nowMs: number): LoadReport | undefined {
    const own = this.#dataCenters.get(dataCenter);
    if (own !== undefined && own.expiresAtMs > nowMs) return own;
    const fresh = upEndpoints.flatMap((key) => {
      const report = this.#endpoints.get(key);
      return report === undefined || report.expiresAtMs <= nowMs ? [] : [report];
    });
    if (fresh.length === 0) return undefined;
    const capacities = fresh.flatMap(({ capacity }) => (capacity === undefined ? [] : [capacity]));
    return {
      load: fresh.reduce((sum, { load }) => sum + load, 0),
      // Half of a capacity would be worse than none.
      capacity:
        capacities.length === fresh.length ? capacities.reduce((sum, one) => sum + one, 0) : undefined,
      atMs: Math.min(...fresh.map(({ atMs }) => atMs)),
      expiresAtMs: Math.min(...fresh.map(({ expiresAtMs }) => expiresAtMs)),
    };
  }

  /** Forgets what has expired and what is no longer there. */
  keepOnly(
    isDataCenter: (name: string) => boolean,
    isEndpoint: (key: string) => boolean,
    nowMs: number,
  ): void {
    for (const [name, { expiresAtMs }] of this.#dataCenters)
      if (expiresAtMs <= nowMs || !isDataCenter(name)) this.#dataCenters.delete(name);
    for (const [key, { expiresAtMs }] of this.#endpoints)
      if (expiresAtMs <= nowMs || !isEndpoint(key)) this.#endpoints.delete(key);
  }
}

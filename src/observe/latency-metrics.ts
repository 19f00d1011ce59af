import { Counter, Gauge, type Registry } from 'prom-client';

type GroupFigures = Readonly<Record<'prefix' | 'asn' | 'country', number>>;

/** What is exposed of measured latency; see `GET /v1/latency`. */
export interface LatencyFigures {
  readonly groups: GroupFigures;
  readonly steering: GroupFigures;
  readonly sketches: number;
  readonly measurements: { readonly taken: number; readonly invalid: number; readonly tooMany: number };
  /** RFC 3339. */
  readonly newestAt?: string | undefined;
  readonly publishedAt?: string | undefined;
}

/** Registers the metrics of measured latency. */
export function registerLatency(
  registry: Registry,
  read: (() => LatencyFigures) | undefined,
  nowMs: () => number,
): void {
  if (read === undefined) return;
  new Counter({
    name: 'meridian_latency_measurements_total',
    help: 'Pushed latency measurements: taken, in a batch with a mistake, or faster than they are taken.',
    labelNames: ['outcome'],
    registers: [registry],
    collect() {
      this.reset();
      const { taken, invalid, tooMany } = read().measurements;
      this.inc({ outcome: 'taken' }, taken);
      this.inc({ outcome: 'invalid' }, invalid);
      this.inc({ outcome: 'too-many' }, tooMany);
    },
  });
  new Gauge({
    name: 'meridian_latency_groups',
    help: 'Groups of clients that latency is known of, and those whose figures steer, by kind.',
    labelNames: ['kind', 'state'],
    registers: [registry],
    collect() {
      const { groups, steering } = read();
      for (const kind of ['prefix', 'asn', 'country'] as const) {
        this.set({ kind, state: 'known' }, groups[kind]);
        this.set({ kind, state: 'steering' }, steering[kind]);
      }
    },
  });
  new Gauge({
    name: 'meridian_latency_sketches',
    help: 'Sketches of latency in memory: one for each group and data center.',
    registers: [registry],
    collect() {
      this.set(read().sketches);
    },
  });
  const age = (name: string, help: string, at: (figures: LatencyFigures) => string | undefined): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        const since = at(read());
        // Left out while unknown: 0 would read as now.
        if (since === undefined) this.remove();
        else this.set(Math.max(0, (nowMs() - Date.parse(since)) / 1000));
      },
    });
  };
  age(
    'meridian_latency_newest_measurement_age_seconds',
    'Age of the newest latency measurement that was taken since the start.',
    ({ newestAt }) => newestAt,
  );
  age(
    'meridian_latency_published_age_seconds',
    'How long the latency figures that steer have been published; absent until they change after a start.',
    ({ publishedAt }) => publishedAt,
  );
}

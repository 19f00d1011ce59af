import type { NamedSample } from '../samples/named-sample.ts';
import { type HeavyHitters, type JoinedCount, joinHeaviest } from './heavy-hitters.ts';
import { formatPrefixKey, prefixKey } from './prefix-key.ts';
import { startOfSpan, type TrafficMinute, TrafficMinutes } from './traffic-minutes.ts';
import type {
  EstimatedQueries,
  PrefixQuestion,
  PrefixReport,
  PrefixTraffic,
  TrafficQuestion,
  TrafficReport,
  TrafficSource,
  TrafficSpan,
} from './traffic-report.ts';

/** Between a name and its data center in a key: neither can hold it. */
const SEPARATOR = ' ';
const STEERED = '+';
const OTHER = '-';

/** Of a normal distribution, 19 of 20 lie within so many standard deviations. */
const DEVIATIONS = 1.96;

/** Counts samples by name, prefix and data center, in bounded memory, over a sliding hour. */
export class TrafficTally implements TrafficSource {
  readonly #every: number;
  readonly #nowMs: () => number;
  readonly #minutes = new TrafficMinutes();

  /** `every`: one query of so many is sampled. */
  constructor(every: number, nowMs: () => number) {
    this.#every = every;
    this.#nowMs = nowMs;
  }

  /** `scale`: what each sample has to stand for beyond its own weight, because others of its moment found no room. */
  add({ sample, name, dataCenter }: NamedSample, scale: number): void {
    const minute = this.#minutes.at(this.#nowMs());
    const weight = sample.weight * scale;
    minute.samples++;
    minute.queries += weight;
    minute.resolvers.add(prefixKey(sample.resolver, sample.resolver.length * 8), weight);
    const steered = sample.steered && name !== undefined;
    if (name !== undefined) minute.names.add((sample.steered ? STEERED : OTHER) + name, weight);
    if (steered && sample.client.length > 0) {
      minute.located += weight;
      minute.clients.add(prefixKey(sample.client, sample.sourcePrefixLength), weight);
    }
    if (dataCenter === undefined) return;
    minute.dataCenters.set(dataCenter, (minute.dataCenters.get(dataCenter) ?? 0) + weight);
    if (name !== undefined) minute.nameDataCenters.add(name + SEPARATOR + dataCenter, weight);
  }

  /** Samples that found no room. */
  addDropped(samples: number): void {
    if (samples > 0) this.#minutes.at(this.#nowMs()).dropped += samples;
  }

  traffic({ minutes, limit, name, dataCenter }: TrafficQuestion): TrafficReport {
    const kept = this.#minutes.last(minutes, this.#nowMs());
    const figures = new Figures(kept);
    const names = joinHeaviest(streams(kept, 'names'), Number.POSITIVE_INFINITY)
      .map((joined) => ({
        name: joined.key.slice(1),
        steered: joined.key.startsWith(STEERED),
        ...figures.of(joined),
      }))
      .filter((entry) => name === undefined || entry.name === name);
    const pairs = joinHeaviest(streams(kept, 'nameDataCenters'), Number.POSITIVE_INFINITY)
      .map((joined) => ({ ...pairOf(joined.key), ...figures.of(joined) }))
      .filter((entry) => name === undefined || entry.name === name)
      .filter((entry) => dataCenter === undefined || entry.dataCenter === dataCenter);
    const shares = dataCenterCounts(kept);
    const steered = shares.reduce((sum, { atLeast }) => sum + atLeast, 0);
    return {
      ...this.#span(kept, minutes, figures),
      names: names.slice(0, limit),
      clients: prefixes(streams(kept, 'clients'), limit, figures),
      resolvers: prefixes(streams(kept, 'resolvers'), limit, figures),
      dataCenters: shares
        .map((joined) => ({
          dataCenter: joined.key,
          ...figures.of(joined),
          share: Math.round((1e4 * joined.atLeast) / steered) / 1e4,
        }))
        .filter((entry) => dataCenter === undefined || entry.dataCenter === dataCenter)
        .slice(0, limit),
      nameDataCenters: pairs.slice(0, limit),
    };
  }

  prefixes({ minutes, limit, of }: PrefixQuestion): PrefixReport {
    const kept = this.#minutes.last(minutes, this.#nowMs());
    const figures = new Figures(kept);
    const counted = kept.reduce(
      (sum, minute) => sum + (of === 'clients' ? minute.located : minute.queries),
      0,
    );
    return {
      ...this.#span(kept, minutes, figures),
      counted: figures.of({ atLeast: counted, atMost: counted }),
      items: prefixes(streams(kept, of), limit, figures),
    };
  }

  #span(kept: readonly TrafficMinute[], minutes: number, figures: Figures): TrafficSpan {
    const nowMs = this.#nowMs();
    const queries = kept.reduce((sum, minute) => sum + minute.queries, 0);
    return {
      from: new Date(startOfSpan(minutes, nowMs)).toISOString(),
      to: new Date(nowMs).toISOString(),
      sampling: {
        every: this.#every,
        samples: kept.reduce((sum, minute) => sum + minute.samples, 0),
        dropped: kept.reduce((sum, minute) => sum + minute.dropped, 0),
      },
      total: figures.of({ atLeast: queries, atMost: queries }),
    };
  }
}

/** Turns weights into what is told of them. */
class Figures {
  /** Queries for each sample, those included that found no room. */
  readonly #weight: number;

  constructor(minutes: readonly TrafficMinute[]) {
    const queries = minutes.reduce((sum, minute) => sum + minute.queries, 0);
    const samples = minutes.reduce((sum, minute) => sum + minute.samples, 0);
    this.#weight = samples === 0 ? 1 : queries / samples;
  }

  /** Each query was sampled with the same chance, so a count of w * n has a deviation of about w * sqrt(n). */
  of({ atLeast, atMost }: { readonly atLeast: number; readonly atMost: number }): EstimatedQueries {
    const deviation = Math.sqrt(atLeast * Math.max(0, this.#weight - 1));
    return {
      queries: Math.round(atLeast),
      missingAtMost: Math.round(atMost - atLeast),
      samplingError: Math.round(DEVIATIONS * deviation),
    };
  }
}

function streams<F extends 'names' | 'clients' | 'resolvers' | 'nameDataCenters'>(
  minutes: readonly TrafficMinute[],
  field: F,
): TrafficMinute[F][] {
  return minutes.map((minute) => minute[field]);
}

function prefixes(
  minutes: readonly HeavyHitters<number>[],
  limit: number,
  figures: Figures,
): readonly PrefixTraffic[] {
  return joinHeaviest(minutes, limit).map((joined) => ({
    prefix: formatPrefixKey(joined.key),
    ...figures.of(joined),
  }));
}

function dataCenterCounts(minutes: readonly TrafficMinute[]): readonly JoinedCount<string>[] {
  const sums = new Map<string, number>();
  for (const { dataCenters } of minutes)
    for (const [name, weight] of dataCenters) sums.set(name, (sums.get(name) ?? 0) + weight);
  return [...sums]
    .map(([key, weight]) => ({ key, atLeast: weight, atMost: weight }))
    .sort((one, other) => other.atLeast - one.atLeast);
}

function pairOf(key: string): { readonly name: string; readonly dataCenter: string } {
  const end = key.lastIndexOf(SEPARATOR);
  return { name: key.slice(0, end), dataCenter: key.slice(end + 1) };
}

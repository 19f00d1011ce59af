import { z } from 'zod';
import { chordKm, distanceKm, pointOf, type SpherePoint } from '../../geo/distance.ts';
import type { Coordinates } from '../../geo/location.ts';
import { MAX_RANKED_DATA_CENTERS } from '../limits.ts';
import type { Candidate, PolicyKind, PolicyNode, RankContext, RankedDistance } from '../policy.ts';
import type { Program } from '../program.ts';
import { dataCenterName } from './data-center-name.ts';

/** Half the earth's girth: a bias of that much puts a data center before or behind every other. */
const MAX_BIAS_KM = 20_000;

/** Ranks data centers by great-circle distance from the client, each with its bias added. */
export interface NearestNode extends PolicyNode {
  readonly kind: 'nearest';
  /** Rank only these; all candidates where absent. */
  readonly dataCenters?: readonly string[] | undefined;
  /** Km added to the distance of a data center; a negative bias draws more clients. */
  readonly biasKm?: Readonly<Record<string, number>> | undefined;
}

export const nearest: PolicyKind<NearestNode> = {
  kind: 'nearest',
  summary: 'Ranks data centers by great-circle distance from the client, with a bias per data center.',
  schema: () =>
    z
      .strictObject({
        kind: z.literal('nearest'),
        dataCenters: z.array(dataCenterName).min(1).max(MAX_RANKED_DATA_CENTERS).optional(),
        biasKm: z.record(dataCenterName, z.number().min(-MAX_BIAS_KM).max(MAX_BIAS_KM)).optional(),
      })
      .meta({ id: 'NearestPolicy' }),
  children: () => [],
  withChildren: (node) => node,
  dataCenters: (node) => [...new Set([...(node.dataCenters ?? []), ...Object.keys(node.biasKm ?? {})])],
  prefixes: () => [],
  rank: (node, client, context) => {
    const field = fieldOf(node, context.candidates);
    if (client.coordinates === undefined) {
      context.trace?.({ kind: 'nearest', detail: 'the client’s place is unknown: data centers by name' });
      return { kind: 'sequence', parts: field.programs };
    }
    const order = orderByDistance(field, client.coordinates);
    context.trace?.(stepOf(field, order, client.coordinates, context));
    return programOfOrder(field, order);
  },
};

/** What a node ranks, prepared once per set of candidates; all columns by position in name order. */
interface Field {
  readonly candidates: readonly Candidate[];
  readonly programs: readonly Program[];
  readonly xs: Float64Array;
  readonly ys: Float64Array;
  readonly zs: Float64Array;
  /** Undefined where no candidate has a bias: squared chords then rank as distances do. */
  readonly biasesKm: Float64Array | undefined;
  /** Scratch of `orderByDistance`: the latest client's. */
  readonly scores: Float64Array;
  readonly order: Uint16Array;
  /** The program of each order so far, by the order's hash: equal orders are one object. */
  readonly known: Map<number, KnownOrder>;
}

interface KnownOrder {
  readonly order: Uint16Array;
  readonly program: Program;
  /** An order of the same hash, if there is one. */
  readonly next: KnownOrder | undefined;
}

/** Only remembers what `prepare` gives: a map ranks the same candidates for hundreds of thousands of places. */
const fields = new WeakMap<readonly Candidate[], WeakMap<NearestNode, Field>>();

function fieldOf(node: NearestNode, candidates: readonly Candidate[]): Field {
  const known = fields.get(candidates)?.get(node);
  if (known !== undefined) return known;
  const field = prepare(node, candidates);
  const ofCandidates = fields.get(candidates) ?? new WeakMap<NearestNode, Field>();
  fields.set(candidates, ofCandidates);
  ofCandidates.set(node, field);
  return field;
}

function prepare(node: NearestNode, candidates: readonly Candidate[]): Field {
  const names = node.dataCenters === undefined ? undefined : new Set(node.dataCenters);
  const ranked = candidates.filter((candidate) => names === undefined || names.has(candidate.name));
  const points = ranked.map((candidate) => pointOf(candidate.latitude, candidate.longitude));
  const biasesKm = Float64Array.from(ranked, (candidate) => node.biasKm?.[candidate.name] ?? 0);
  return {
    candidates: ranked,
    programs: ranked.map((candidate): Program => ({ kind: 'data-center', index: candidate.index })),
    xs: Float64Array.from(points, (point) => point.x),
    ys: Float64Array.from(points, (point) => point.y),
    zs: Float64Array.from(points, (point) => point.z),
    biasesKm: biasesKm.every((biasKm) => biasKm === 0) ? undefined : biasesKm,
    scores: new Float64Array(ranked.length),
    order: Uint16Array.from(ranked.keys()),
    known: new Map(),
  };
}

/**
 * Insertion sort by score, then by name, from the order of the client before: places are ranked in the order of
 * their addresses, where neighbours lie close together, so little has to move. The start changes the time only.
 */
function orderByDistance(field: Field, coordinates: Coordinates): Uint16Array {
  const { scores, order } = field;
  score(field, pointOf(coordinates.latitude, coordinates.longitude));
  for (let next = 1; next < order.length; next++) {
    const candidate = order[next] as number;
    const itsScore = scores[candidate] as number;
    let at = next;
    for (; at > 0; at--) {
      const before = order[at - 1] as number;
      const scoreBefore = scores[before] as number;
      if (scoreBefore < itsScore || (scoreBefore === itsScore && before < candidate)) break;
      order[at] = before;
    }
    order[at] = candidate;
  }
  return order;
}

/** Scores all candidates for a client: the lowest is best. */
function score({ xs, ys, zs, biasesKm, scores }: Field, client: SpherePoint): void {
  for (let candidate = 0; candidate < scores.length; candidate++) {
    const x = client.x - (xs[candidate] as number);
    const y = client.y - (ys[candidate] as number);
    const z = client.z - (zs[candidate] as number);
    scores[candidate] = x * x + y * y + z * z;
  }
  if (biasesKm === undefined) return;
  for (let candidate = 0; candidate < scores.length; candidate++)
    scores[candidate] = chordKm(scores[candidate] as number) + (biasesKm[candidate] as number);
}

function programOfOrder(field: Field, order: Uint16Array): Program {
  let hash = 0;
  for (let at = 0; at < order.length; at++) {
    hash = Math.imul(hash ^ (order[at] as number), 0x9e37_79b1);
    hash ^= hash >>> 15;
  }
  const first = field.known.get(hash);
  for (let known = first; known !== undefined; known = known.next)
    if (isSameOrder(known.order, order)) return known.program;
  const parts = Array.from(order, (at) => field.programs[at] as Program);
  const program: Program = { kind: 'sequence', parts };
  field.known.set(hash, { order: order.slice(), program, next: first });
  return program;
}

function isSameOrder(one: Uint16Array, other: Uint16Array): boolean {
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}

function stepOf(
  field: Field,
  order: Uint16Array,
  coordinates: Coordinates,
  context: RankContext,
): Parameters<NonNullable<RankContext['trace']>>[0] {
  const client = pointOf(coordinates.latitude, coordinates.longitude);
  const distances = Array.from(order, (at): RankedDistance => {
    const dataCenter = field.candidates[at]?.name ?? '';
    const point = { x: field.xs[at] as number, y: field.ys[at] as number, z: field.zs[at] as number };
    return { dataCenter, distanceKm: distanceKm(client, point), biasKm: field.biasesKm?.[at] ?? 0 };
  });
  const left = context.candidates.length - field.candidates.length;
  const told = distances.map(
    ({ dataCenter, distanceKm: km, biasKm }) =>
      `${dataCenter} ${Math.round(km)} km${biasKm === 0 ? '' : ` ${biasKm < 0 ? '-' : '+'} ${Math.abs(biasKm)} km bias`}`,
  );
  const among = left === 0 ? '' : ` (${left} of ${context.candidates.length} data centers left out)`;
  return { kind: 'nearest', detail: `nearest first: ${told.join(', ')}${among}`, distances };
}

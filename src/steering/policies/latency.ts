import { z } from 'zod';
import { distanceKm, pointOf, type SpherePoint } from '../../geo/distance.ts';
import type { ClientLocation, Coordinates } from '../../geo/location.ts';
import { MAX_RANKED_DATA_CENTERS } from '../limits.ts';
import { groupKind, type MeasuredFigures, MILLISECONDS_PER_KM, wideGroups } from '../measured.ts';
import type { Candidate, PolicyKind, PolicyNode, RankContext } from '../policy.ts';
import type { Program } from '../program.ts';
import { dataCenterName } from './data-center-name.ts';
import { type NearestNode, nearest } from './nearest.ts';

/** One measured data center says nothing of the others. */
const MIN_COMPARED = 2;

/**
 * Ranks data centers by measured round-trip time where enough is known of the client's prefix, else of its AS, else of
 * its country; by distance where nothing is. A data center that the group did not measure is ranked by the light's way
 * to it plus the median detour of those that were.
 */
export interface LatencyNode extends PolicyNode {
  readonly kind: 'latency';
  /** Rank only these; all candidates where absent. */
  readonly dataCenters?: readonly string[] | undefined;
  /** SHA-256, in hexadecimal, of a token that allows pushing measurements and nothing else. */
  readonly tokenHash?: string | undefined;
  /** Not configuration: what is known at present, put in before a map is compiled; see `fillMeasured`. */
  readonly measured?: MeasuredFigures | undefined;
}

export const latency: PolicyKind<LatencyNode> = {
  kind: 'latency',
  summary:
    'Ranks data centers by measured round-trip time of the client’s prefix, AS or country; else by distance.',
  schema: () =>
    z
      .strictObject({
        kind: z.literal('latency'),
        dataCenters: z.array(dataCenterName).min(1).max(MAX_RANKED_DATA_CENTERS).optional(),
        tokenHash: z
          .string()
          .regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 digest: 64 hexadecimal digits in lower case')
          .optional(),
      })
      .meta({ id: 'LatencyPolicy' }),
  children: () => [],
  withChildren: (node) => node,
  dataCenters: (node) => [...new Set(node.dataCenters ?? [])],
  prefixes: (node) => (node.measured?.groups ?? []).filter((group) => groupKind(group) === 'prefix'),
  rank: (node, client, context) => {
    const field = fieldOf(node, context.candidates);
    const row = decidingRow(field, client);
    if (row === undefined) {
      context.trace?.({
        kind: 'latency',
        detail: 'no group of the client has enough fresh measurements: by distance',
      });
      return nearest.rank(field.byDistance, client, context);
    }
    const estimates = estimate(field, row, client.coordinates);
    const order = [...field.candidates.keys()].sort(
      (one, other) => (estimates[one] ?? 0) - (estimates[other] ?? 0) || one - other,
    );
    tell(field, row, order, estimates, context);
    return programOf(field, order);
  },
};

/** What a node ranks, prepared once per set of candidates; all columns by position in name order. */
interface Field {
  readonly candidates: readonly Candidate[];
  readonly points: readonly SpherePoint[];
  /** Column of each candidate in the figures; -1 for one that nobody measured. */
  readonly columns: readonly number[];
  readonly measured: MeasuredFigures | undefined;
  /** Row of each group. */
  readonly rows: ReadonlyMap<string, number>;
  readonly byDistance: NearestNode;
  /** The program of each order so far: equal orders are one object. */
  readonly programs: Map<string, Program>;
}

/** Only remembers what `prepare` gives. */
const fields = new WeakMap<readonly Candidate[], WeakMap<LatencyNode, Field>>();

function fieldOf(node: LatencyNode, candidates: readonly Candidate[]): Field {
  const known = fields.get(candidates)?.get(node);
  if (known !== undefined) return known;
  const field = prepare(node, candidates);
  const ofCandidates = fields.get(candidates) ?? new WeakMap<LatencyNode, Field>();
  fields.set(candidates, ofCandidates);
  ofCandidates.set(node, field);
  return field;
}

function prepare(node: LatencyNode, candidates: readonly Candidate[]): Field {
  const names = node.dataCenters === undefined ? undefined : new Set(node.dataCenters);
  const ranked = candidates.filter(({ name }) => names === undefined || names.has(name));
  const { measured } = node;
  return {
    candidates: ranked,
    points: ranked.map(({ latitude, longitude }) => pointOf(latitude, longitude)),
    columns: ranked.map(({ name }) => measured?.dataCenters.indexOf(name) ?? -1),
    measured,
    rows: new Map((measured?.groups ?? []).map((group, row) => [group, row])),
    byDistance: {
      kind: 'nearest',
      ...(node.dataCenters === undefined ? {} : { dataCenters: node.dataCenters }),
    },
    programs: new Map(),
  };
}

/** The narrowest group of the client that has measured at least two of the candidates. */
function decidingRow(field: Field, client: ClientLocation): number | undefined {
  if (field.rows.size === 0) return undefined;
  // Without a place of the client, detours cannot be told from distance.
  const wide = client.coordinates === undefined ? [] : wideGroups(client);
  for (const group of [...client.prefixes, ...wide]) {
    const row = field.rows.get(group);
    if (row === undefined) continue;
    const compared = field.columns.filter((column) => figure(field, row, column) > 0).length;
    if (compared >= MIN_COMPARED) return row;
  }
  return undefined;
}

/** 0 where nothing is known. */
function figure({ measured }: Field, row: number, column: number): number {
  if (measured === undefined || column < 0) return 0;
  return measured.milliseconds[row * measured.dataCenters.length + column] ?? 0;
}

/** Milliseconds that a round trip to each candidate is taken to need; infinite where there is no telling. */
function estimate(field: Field, row: number, client: Coordinates | undefined): readonly number[] {
  const isPrefix = groupKind(field.measured?.groups[row] ?? '') === 'prefix';
  const from = client === undefined ? undefined : pointOf(client.latitude, client.longitude);
  const light = field.points.map((point) =>
    from === undefined ? undefined : distanceKm(from, point) * MILLISECONDS_PER_KM,
  );
  const figures = field.columns.map((column) => figure(field, row, column));
  const detours = figures.flatMap((known, at) => {
    if (known === 0) return [];
    return [isPrefix ? Math.max(0, known - (light[at] ?? 0)) : known];
  });
  const usualDetour = medianOf(detours);
  return figures.map((known, at) => {
    if (known > 0 && isPrefix) return known;
    const way = light[at];
    if (way === undefined) return Number.POSITIVE_INFINITY;
    return way + (known > 0 ? known : usualDetour);
  });
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

function programOf(field: Field, order: readonly number[]): Program {
  const key = order.join(' ');
  const known = field.programs.get(key);
  if (known !== undefined) return known;
  const parts = order.map(
    (at): Program => ({ kind: 'data-center', index: field.candidates[at]?.index ?? 0 }),
  );
  const program: Program = { kind: 'sequence', parts };
  field.programs.set(key, program);
  return program;
}

const groupTexts = { prefix: 'the prefix', asn: '', country: 'the country' } as const;

function tell(
  field: Field,
  row: number,
  order: readonly number[],
  estimates: readonly number[],
  { trace }: RankContext,
): void {
  if (trace === undefined) return;
  const group = field.measured?.groups[row] ?? '';
  const told = order.map((at) => {
    const name = field.candidates[at]?.name ?? '';
    const milliseconds = estimates[at] ?? Number.POSITIVE_INFINITY;
    if (milliseconds === Number.POSITIVE_INFINITY) return `${name} not measured`;
    const measured = figure(field, row, field.columns[at] ?? -1) > 0;
    return `${name} ${milliseconds.toFixed(1)} ms${measured ? '' : ' by distance'}`;
  });
  const of = [groupTexts[groupKind(group)], group].filter((part) => part !== '').join(' ');
  trace({ kind: 'latency', detail: `as measured for ${of}: ${told.join(', ')}` });
}

import { type GroupKind, groupKind } from '../steering/measured.ts';
import {
  bars,
  decideGroup,
  type GroupFigures,
  HOLD_MS,
  type MeasuredDataCenter,
  MIN_SLOTS,
} from './decide-group.ts';
import type { LatencyLedger } from './ledger.ts';
import { SLOT_MS } from './sketch.ts';

/** What is known of one group, for people. It is JSON as it stands. */
export interface DescribedGroup {
  readonly group: string;
  readonly kind: GroupKind;
  /** What the milliseconds are: whole round trips, or what they take beyond the light's way. */
  readonly unit: 'round-trip' | 'detour';
  /** Whether its figures steer now. */
  readonly steers: boolean;
  /** RFC 3339, UTC; since when these figures steer. */
  readonly since?: string | undefined;
  /** One sentence. */
  readonly why: string;
  readonly dataCenters: readonly DescribedDataCenter[];
}

export interface DescribedDataCenter {
  readonly dataCenter: string;
  /** Of the last day. */
  readonly samples: number;
  /** Samples by their age: each weighs half after an hour. */
  readonly weight: number;
  readonly medianMilliseconds: number;
  /** What steers now; absent where it does not. */
  readonly steersBy?: number | undefined;
  /** RFC 3339, UTC; to five minutes. */
  readonly newestAt: string;
  readonly why: string;
}

/** Tells one group; `steering` are the figures that steer. */
export function describeGroup(
  ledger: LatencyLedger,
  group: string,
  steering: GroupFigures | undefined,
  nowMs: number,
): DescribedGroup {
  const kind = groupKind(group);
  const { dataCenters, outcome } = decideGroup(group, ledger.sketchesOf(group) ?? new Map(), steering, nowMs);
  return {
    group,
    kind,
    unit: kind === 'prefix' ? 'round-trip' : 'detour',
    steers: steering !== undefined,
    ...(steering === undefined ? {} : { since: new Date(steering.sinceMs).toISOString() }),
    why: groupText(outcome, steering, nowMs),
    dataCenters: dataCenters.map((one) => describeDataCenter(one, kind, steering)),
  };
}

function groupText(
  outcome: ReturnType<typeof decideGroup>['outcome'],
  steering: GroupFigures | undefined,
  nowMs: number,
): string {
  if (outcome.kind === 'distance') {
    const why = { 'nothing-counts': 'no data center has', 'nothing-to-compare': 'only one data center has' };
    const until = steering === undefined ? '' : ' any more; what steers now ends with the next decision';
    return `${why[outcome.why]} enough fresh samples${until}.`.replace(/^./, (first) => first.toUpperCase());
  }
  if (steering === undefined)
    return 'It has enough fresh samples; it steers after the next decision, unless heavier groups have taken all places.';
  const holdSeconds = Math.ceil((steering.sinceMs + HOLD_MS - nowMs) / 1000);
  const texts: Readonly<Record<typeof outcome.why, string>> = {
    new: 'Its figures steer.',
    steady: 'Its figures steer; what was measured since differs too little to change them.',
    held: `Its figures steer; what was measured since differs, and counts in ${holdSeconds} s.`,
    changed: 'Its figures steer; what was measured since differs, and counts after the next decision.',
    'lost-one': 'Its figures steer; a data center without fresh samples leaves them with the next decision.',
    'gained-one': 'Its figures steer; another data center joins them with the next decision.',
  };
  return texts[outcome.why];
}

function describeDataCenter(
  { dataCenter, reading, standing }: MeasuredDataCenter,
  kind: GroupKind,
  steering: GroupFigures | undefined,
): DescribedDataCenter {
  const steersBy = steering?.milliseconds.get(dataCenter);
  const { samples, weight, slots, medianMs, newestSlot } = reading;
  const bar = bars[kind];
  const [fewest, lightest] =
    steersBy === undefined ? [bar.samples, bar.weight] : [bar.keptSamples, bar.keptWeight];
  const texts: Readonly<Record<typeof standing, string>> = {
    measured: 'It has enough fresh samples.',
    'too-few-samples': `It has ${samples} samples of the last day and needs ${fewest}.`,
    'warming-up': `Its samples are of ${slots} of the ${MIN_SLOTS} slots of five minutes that it needs.`,
    'not-fresh': `Its samples weigh ${weight.toFixed(1)} by their age, and ${lightest} is needed.`,
  };
  return {
    dataCenter,
    samples,
    weight: Math.round(weight * 10) / 10,
    medianMilliseconds: medianMs,
    ...(steersBy === undefined ? {} : { steersBy }),
    newestAt: new Date(newestSlot * SLOT_MS).toISOString(),
    why: texts[standing],
  };
}

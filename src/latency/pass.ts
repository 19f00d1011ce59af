import { type GroupKind, groupKind, type MeasuredFigures } from '../steering/measured.ts';
import { decideGroup, type GroupFigures } from './decide-group.ts';
import { heaviestGroups, measuredFigures, type WeighedGroup } from './figures.ts';
import type { LatencyLedger } from './ledger.ts';
import { slotOf, WINDOW_SLOTS } from './sketch.ts';

export type GroupCounts = Readonly<Record<GroupKind, number>>;

/** What a pass over all groups comes to. */
export interface PassResult {
  /** Groups that something is known of, by kind. */
  readonly known: GroupCounts;
  readonly groups: ReadonlyMap<string, GroupFigures>;
  readonly figures: MeasuredFigures;
}

/**
 * Decides over every group of a ledger, in steps, so that a hundred thousand of them do not keep a thread. Samples that
 * are too old to count are forgotten on the way.
 */
export class DecisionPass {
  readonly #ledger: LatencyLedger;
  readonly #before: ReadonlyMap<string, GroupFigures>;
  readonly #nowMs: number;
  readonly #limits: GroupCounts | undefined;
  readonly #groups: readonly string[];
  readonly #found: WeighedGroup[] = [];
  readonly #known = { prefix: 0, asn: 0, country: 0 };
  #next = 0;

  /** `before`: what steers now. */
  constructor(
    ledger: LatencyLedger,
    before: ReadonlyMap<string, GroupFigures>,
    nowMs: number,
    limits?: GroupCounts,
  ) {
    this.#ledger = ledger;
    this.#before = before;
    this.#nowMs = nowMs;
    this.#limits = limits;
    this.#groups = Array.from(ledger.entries(), ([group]) => group);
  }

  /** Decides over up to so many further groups; true while there are more. */
  step(count: number): boolean {
    const end = Math.min(this.#next + count, this.#groups.length);
    for (; this.#next < end; this.#next += 1) this.#decide(this.#groups[this.#next] ?? '');
    return this.#next < this.#groups.length;
  }

  /** To be called once `step` has said that there is no more. */
  result(): PassResult {
    const groups = heaviestGroups(this.#found, (group) => this.#before.has(group), this.#limits);
    return { known: { ...this.#known }, groups, figures: measuredFigures(groups) };
  }

  #decide(group: string): void {
    this.#ledger.prune(group, slotOf(this.#nowMs) - WINDOW_SLOTS + 1);
    const sketches = this.#ledger.sketchesOf(group);
    if (sketches === undefined) return;
    this.#known[groupKind(group)] += 1;
    const { outcome, weight } = decideGroup(group, sketches, this.#before.get(group), this.#nowMs);
    if (outcome.kind === 'measured') this.#found.push({ group, figures: outcome.figures, weight });
  }
}

/** How many groups there are of each kind. */
export function countGroups(groups: Iterable<string>): GroupCounts {
  const counts = { prefix: 0, asn: 0, country: 0 };
  for (const group of groups) counts[groupKind(group)] += 1;
  return counts;
}

import { LAST_KNOWN_UP } from '../../snapshot/verdict-table.ts';
import { evaluateRule, type SourceVerdicts } from '../composed.ts';
import { type Consensus, NO_CONSENSUS } from '../consensus.ts';
import type { Rail, RailedEndpoint } from '../guard-rails.ts';
import type { StandingOverride } from '../overrides/override.ts';
import { probeTarget, type RememberedVerdict } from '../remembered-verdict.ts';
import type { Verdict } from '../verdict.ts';
import type { BoardEndpoint } from './board-endpoint.ts';
import { verdictOctet } from './unknown.ts';

/**
 * One endpoint on the board; the board alone changes it.
 *
 *     sources --rule--> probed --override--> wanted --guard rails--> verdict --unknown rule--> octet
 */
export interface Entry {
  definition: BoardEndpoint;
  /** What all vantages say together. */
  probed: Consensus;
  override: StandingOverride | undefined;
  /** What probes and the override come to. */
  wanted: Verdict;
  /** Whether `wanted` was ever up. */
  wasUp: boolean;
  /** When `wanted` last ceased to be up. */
  fellAtMs: number;
  /** The rail that keeps it in service. */
  held: Rail | undefined;
  /** What answers go by. */
  verdict: Verdict;
  sinceMs: number;
  lastKnownUp: boolean;
  /** When it was known, while nothing but the memory of an earlier run speaks for the verdict. */
  rememberedAtMs: number | undefined;
  /** Its first verdict is no change. */
  isNew: boolean;
  /** The definition under which its octet was last stored. */
  storedAs: BoardEndpoint | undefined;
}

/** A new endpoint, of which nothing is known. */
export function createEntry(definition: BoardEndpoint, nowMs: number): Entry {
  return {
    definition,
    probed: NO_CONSENSUS,
    override: undefined,
    wanted: 'unknown',
    wasUp: false,
    fellAtMs: nowMs,
    held: undefined,
    verdict: 'unknown',
    sinceMs: nowMs,
    lastKnownUp: false,
    rememberedAtMs: undefined,
    isNew: true,
    storedAs: undefined,
  };
}

/** A new endpoint of which the node knew something when it last ran: that holds until probes say otherwise. */
export function recallEntry(definition: BoardEndpoint, remembered: RememberedVerdict): Entry {
  return {
    ...createEntry(definition, remembered.sinceMs),
    probed: { verdict: remembered.verdict, basis: 'silent' },
    wasUp: remembered.lastKnownUp || remembered.verdict === 'up',
    lastKnownUp: remembered.lastKnownUp,
    rememberedAtMs: remembered.knownAtMs,
  };
}

/** Gives a known entry its new definition, and forgets what was seen where it no longer holds. */
export function redefine(entry: Entry, definition: BoardEndpoint): Entry {
  const before = entry.definition;
  const moved = probeTarget(before) !== probeTarget(definition);
  const isChecked = definition.check !== undefined;
  entry.definition = definition;
  if (moved) {
    entry.lastKnownUp = false;
    entry.wasUp = false;
  }
  if (moved || isChecked !== (before.check !== undefined)) entry.probed = NO_CONSENSUS;
  return entry;
}

/** Brings what probes say up to date. As long as nothing decides, what held before stays. */
export function probe(entry: Entry, known: SourceVerdicts): void {
  const { check } = entry.definition;
  if (check === undefined) {
    entry.probed = { verdict: 'up', basis: 'quorum' };
    return;
  }
  const { verdict, basis } = evaluateRule(check.rule, known);
  entry.probed = { verdict: verdict === 'unknown' ? entry.probed.verdict : verdict, basis };
  if (basis === 'quorum') entry.rememberedAtMs = undefined;
}

/** Brings what is wanted up to date: the override's state, else what the probes say. Returns whether it changed. */
export function want(entry: Entry, nowMs: number): boolean {
  const { override, wanted: before } = entry;
  const state = override?.state;
  const wanted = state === undefined ? entry.probed.verdict : state === 'drain' ? 'drained' : state;
  entry.wanted = wanted;
  if (wanted === before) return false;
  if (before === 'up') entry.fellAtMs = nowMs;
  if (wanted === 'up') entry.wasUp = true;
  return true;
}

/** The entry as the guard rails of its pool see it. */
export function railed({ definition, wanted, wasUp, fellAtMs, override }: Entry): RailedEndpoint {
  const { key, dataCenter } = definition;
  return { key, dataCenter, wanted, wasUp, fellAtMs, breakGlass: override?.breakGlass === true };
}

/** The entry's octet in the verdict table. */
export function octetOf({ verdict, lastKnownUp, definition }: Entry): number {
  return verdictOctet(verdict, definition.poolRules.unknown) | (lastKnownUp ? LAST_KNOWN_UP : 0);
}

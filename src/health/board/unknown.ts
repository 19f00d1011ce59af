import type { UnknownRule } from '../../config/resources/pool.ts';
import { VERDICT_DOWN, VERDICT_DRAINED, VERDICT_UNKNOWN, VERDICT_UP } from '../../snapshot/verdict-table.ts';
import type { Verdict } from '../verdict.ts';

const OCTETS: Readonly<Record<Verdict, number>> = {
  unknown: VERDICT_UNKNOWN,
  up: VERDICT_UP,
  down: VERDICT_DOWN,
  drained: VERDICT_DRAINED,
};

const UNKNOWN_OCTETS: Readonly<Record<UnknownRule, number>> = {
  'last-resort': VERDICT_UNKNOWN,
  serve: VERDICT_UP,
  withhold: VERDICT_DOWN,
};

/** What is meant where a pool does not say. */
export const DEFAULT_UNKNOWN_RULE: UnknownRule = 'last-resort';

/** A verdict as queries read it, after what the pool says of endpoints without one. */
export function verdictOctet(verdict: Verdict, unknown: UnknownRule): number {
  return verdict === 'unknown' ? UNKNOWN_OCTETS[unknown] : OCTETS[verdict];
}

import { verdictOctet } from '../../health/board/unknown.ts';
import { createVerdictTable } from '../../snapshot/verdict-table.ts';
import {
  LAST_KNOWN_UP,
  VERDICT_DOWN,
  VERDICT_DRAINED,
  VERDICT_UNKNOWN,
  VERDICT_UP,
} from '../../steering/verdict.ts';
import { isRecent, type KeptEndpoint, type KeptVerdicts } from './verdict-file.ts';

const OVERRIDE_OCTETS = { up: VERDICT_UP, down: VERDICT_DOWN, drain: VERDICT_DRAINED } as const;

/**
 * The verdict table of a node that has just started, from what was known when it last ran. `slots` has the keys of
 * endpoints by their slot. What probes said grows old and is then unknown; what an operator said holds until it
 * expires, and which endpoints were up last stays so.
 */
export function bootVerdicts(
  kept: KeptVerdicts,
  slots: readonly (string | null)[],
  nowMs: number,
): Uint8Array<SharedArrayBuffer> {
  const table = createVerdictTable();
  const recent = isRecent(kept, nowMs);
  const octets = new Map(
    kept.endpoints.map((endpoint) => [
      endpoint.key,
      bootVerdict(endpoint, recent ? 'recent' : 'old', nowMs) | (endpoint.lastKnownUp ? LAST_KNOWN_UP : 0),
    ]),
  );
  for (const [slot, key] of slots.entries())
    if (key !== null && slot < table.length) table[slot] = octets.get(key) ?? VERDICT_UNKNOWN;
  return table;
}

function bootVerdict(
  { monitored, probed, unknown, held, override }: KeptEndpoint,
  age: 'recent' | 'old',
  nowMs: number,
): number {
  if (held && age === 'recent') return VERDICT_UP;
  if (override !== undefined && (override.expiresAtMs === null || override.expiresAtMs > nowMs))
    return OVERRIDE_OCTETS[override.state];
  if (!monitored) return VERDICT_UP;
  return verdictOctet(age === 'recent' ? probed : 'unknown', unknown);
}

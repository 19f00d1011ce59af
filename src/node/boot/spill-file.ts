import { readFileSync } from 'node:fs';
import { replaceFileSync } from '../../disk/replace-file.ts';
import { putSpill, type SpillShares } from '../../snapshot/spill-table.ts';

/** Where a data directory keeps them. */
export const SPILL_FILE = 'spills.json';

/** Longer ago, clients have gone home and come anew: it is better to begin at nothing. */
const MAX_AGE_MS = 600_000;

/** By name of the data center. */
export type KeptSpills = ReadonlyMap<string, SpillShares>;

/**
 * The spills of the last run, so that a restart does not give a full data center all its clients back. A file that is
 * missing, damaged or old means that everybody is kept.
 */
export function readSpills(path: string, nowMs: number): KeptSpills {
  try {
    return parseKept(JSON.parse(readFileSync(path, 'utf8')), nowMs);
  } catch {
    return new Map();
  }
}

/** Writes beside the old file and swaps; throws when the disk does not take it. */
export function writeSpills(path: string, spills: KeptSpills, nowMs: number): void {
  const kept = { savedAtMs: nowMs, dataCenters: Object.fromEntries(spills) };
  replaceFileSync(path, [Buffer.from(JSON.stringify(kept))]);
}

/** Puts them into a table, by the numbers that the data centers have. */
export function putSpills(table: Uint16Array, spills: KeptSpills, names: readonly (string | null)[]): void {
  for (const [number, name] of names.entries()) {
    const shares = name === null ? undefined : spills.get(name);
    if (shares !== undefined) putSpill(table, number, shares);
  }
}

/* By hand and not by schema, as all that is read before the first answer. */
function parseKept(value: unknown, nowMs: number): KeptSpills {
  const { savedAtMs, dataCenters } = value as { readonly savedAtMs: unknown; readonly dataCenters: unknown };
  if (typeof savedAtMs !== 'number' || !isObject(dataCenters)) return new Map();
  if (nowMs < savedAtMs || nowMs - savedAtMs > MAX_AGE_MS) return new Map();
  const spills = new Map<string, SpillShares>();
  for (const [name, shares] of Object.entries(dataCenters)) {
    if (isObject(shares) && isShare(shares.home) && isShare(shares.guest))
      spills.set(name, { home: shares.home, guest: shares.guest });
  }
  return spills;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object';
}

function isShare(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1;
}

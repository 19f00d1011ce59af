import type { Verdict } from '../../health/verdict.ts';

/** A node answers by a verdict from a moment on. */
export interface LiveVerdict {
  /** `pool/endpoint`. */
  readonly key: string;
  readonly verdict: Verdict;
  /** Milliseconds since the epoch, by the clock of this node. */
  readonly atMs: number;
}

const verdicts: readonly Verdict[] = ['unknown', 'up', 'down', 'drained'];

/** A node with all its endpoints may fall at once; what is older than as many changes is missing in timelines alone. */
export const MAX_LIVE_NEWS = 10_000;

/** `pool/endpoint`, two names of 63 characters. */
const MAX_KEY = 2 * 63 + 1;

/** Later than this after it happened, a line in a timeline is of no use. */
const MAX_AGE_MS = 3_600_000;

/** The value of a frame; times are told as ages, so that no clock but the reader's counts. */
export function writeLive(news: readonly LiveVerdict[], nowMs: number): unknown {
  const rows = news.map(({ key, verdict, atMs }) => [
    key,
    verdicts.indexOf(verdict),
    Math.min(MAX_AGE_MS, Math.max(0, Math.round(nowMs - atMs))),
  ]);
  return { kind: 'live', rows };
}

/** What can be read of a frame's value, and how many rows could not. */
export function readLive(
  { rows }: Readonly<Record<string, unknown>>,
  nowMs: number,
): { readonly news: readonly LiveVerdict[]; readonly refused: number } {
  if (!Array.isArray(rows) || rows.length > MAX_LIVE_NEWS) return { news: [], refused: 1 };
  const news = rows.flatMap((row) => readRow(row, nowMs) ?? []);
  return { news, refused: rows.length - news.length };
}

function readRow(row: unknown, nowMs: number): LiveVerdict | undefined {
  if (!Array.isArray(row)) return undefined;
  const [key, code, ageMs] = row as readonly unknown[];
  const verdict = typeof code === 'number' ? verdicts[code] : undefined;
  if (typeof key !== 'string' || key.length > MAX_KEY || verdict === undefined) return undefined;
  if (typeof ageMs !== 'number' || !(ageMs >= 0 && ageMs <= MAX_AGE_MS)) return undefined;
  return { key, verdict, atMs: nowMs - ageMs };
}

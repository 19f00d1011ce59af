import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { EndpointHealth } from '../health/endpoint-health.ts';
import { probeTarget, type RememberedVerdict } from '../health/remembered-verdict.ts';

/** Older than this, what was known says little about now: a restart takes seconds, a repair may take an hour. */
const MAX_AGE_MS = 3_600_000;

const fileSchema = z.object({
  savedAtMs: z.number(),
  verdicts: z.array(
    z.object({ key: z.string(), verdict: z.enum(['up', 'down']), target: z.string(), sinceMs: z.number() }),
  ),
});

/**
 * The last verdicts, kept so that a restarted node does not send clients astray until its probes have reported.
 * A file that is missing, old or damaged means that nothing is known, as on a first start.
 */
export function readVerdicts(path: string, nowMs: number): readonly RememberedVerdict[] {
  try {
    const file = fileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    const ageMs = nowMs - file.savedAtMs;
    return ageMs >= 0 && ageMs <= MAX_AGE_MS ? file.verdicts : [];
  } catch {
    return [];
  }
}

/** Writes beside the old file and swaps; throws when the disk does not take it. */
export function writeVerdicts(path: string, health: readonly EndpointHealth[], nowMs: number): void {
  const verdicts = health.flatMap((endpoint): RememberedVerdict[] => {
    const { key, probed, monitor, since } = endpoint;
    if (monitor === undefined || probed === 'unknown') return [];
    return [{ key, verdict: probed, target: probeTarget(endpoint), sinceMs: Date.parse(since) }];
  });
  const half = `${path}.new`;
  try {
    writeFileSync(half, JSON.stringify({ savedAtMs: nowMs, verdicts }));
    renameSync(half, path);
  } catch (error) {
    rmSync(half, { force: true });
    throw error;
  }
}

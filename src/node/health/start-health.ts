import { join } from 'node:path';
import type { HealthEvent } from '../../health/endpoint-health.ts';
import type { Observation } from '../../health/observation.ts';
import type { ProbeReason } from '../../health/probe-result.ts';
import type { Logger } from '../../observe/log.ts';
import type { Settings } from '../../settings.ts';
import {
  keptLeaves,
  readVerdicts,
  rememberedVerdicts,
  VERDICT_FILE,
  writeVerdicts,
} from '../boot/verdict-file.ts';
import type { Closers } from '../closers.ts';
import { HealthLoop } from './health-loop.ts';
import { LOCAL_VANTAGE, startProbing } from './start-probing.ts';

/** A crash forgets the verdicts of this time; more often would be felt where thousands of endpoints come and go. */
const KEEP_VERDICTS_SOON_MS = 5_000;

interface HealthParts {
  readonly settings: Settings;
  readonly log: Logger;
  readonly verdicts: Uint8Array;
  readonly nowMs: () => number;
  /** The node's name in its cluster; without it, `LOCAL_VANTAGE`. */
  readonly vantage?: string | undefined;
  /** Called with what this node itself has observed, for its peers. */
  readonly onOwn?: (observations: readonly Observation[]) => void;
  /** Called after verdicts changed. */
  readonly onChange: () => void;
  readonly onEvent: (event: HealthEvent) => void;
  readonly onEndpoints: () => void;
  /** Called for every probe, with the name of its monitor. */
  readonly onResult: (monitor: string, reason: ProbeReason) => void;
  /** Called when an endpoint tells its load. */
  readonly onLoad?: (endpointKey: string, load: number, capacity: number | undefined) => void;
}

/** Starts probing, from what the node knew when it last ran; keeps what it knows for the next start. */
export function startHealth(parts: HealthParts, closers: Closers): HealthLoop {
  const { settings, log, verdicts, nowMs, vantage = LOCAL_VANTAGE } = parts;
  const verdictFile = join(settings.dataDirectory, VERDICT_FILE);
  const kept = readVerdicts(verdictFile);
  let keepSoon: NodeJS.Timeout | undefined;
  const health: HealthLoop = new HealthLoop({
    verdicts,
    nowMs,
    vantage: (onObservations) => startProbing(vantage, settings, log, onObservations),
    seat: { name: vantage, region: settings.region },
    remembered: rememberedVerdicts(kept, nowMs()),
    leaves: keptLeaves(kept),
    keep: (known) => {
      try {
        writeVerdicts(verdictFile, known, nowMs());
      } catch (error) {
        log.warn({ err: error }, 'the verdicts could not be kept for the next start');
      }
    },
    onChange: () => {
      parts.onChange();
      keepSoon ??= setTimeout(() => {
        keepSoon = undefined;
        health.keep();
      }, KEEP_VERDICTS_SOON_MS);
    },
    onEvent: parts.onEvent,
    onDrained: ({ key, override, drain }) => {
      log.info({ key, override, drain }, 'the last resolver that honours TTLs has let go: safe to reboot');
      parts.onChange();
    },
    onEndpoints: parts.onEndpoints,
    onOwn: parts.onOwn,
    onLoad: parts.onLoad,
    onResult: (key, reason) => parts.onResult(health.monitorOf(key) ?? '', reason),
  });
  closers.add(async () => {
    clearTimeout(keepSoon);
    await health.close();
  });
  return health;
}

import { join } from 'node:path';
import { setImmediate as pause } from 'node:timers/promises';
import { replaceFile } from '../../disk/replace-file.ts';
import { locateClient } from '../../geo/table.ts';
import { measuredFigures } from '../../latency/figures.ts';
import { LatencyLedger } from '../../latency/ledger.ts';
import type { Logger } from '../../observe/log.ts';
import type { Settings } from '../../settings.ts';
import type { Closers } from '../closers.ts';
import type { NodeControlPlane } from '../control/control-plane.ts';
import { LatencyLoop } from './latency-loop.ts';
import { formatLedger, LATENCY_FILE, readLedger } from './ledger-file.ts';

interface LatencyParts {
  readonly settings: Settings;
  readonly log: Logger;
  readonly plane: NodeControlPlane;
}

const failures = {
  publish: 'what was measured could not be published; what steered before goes on',
  keep: 'what was measured could not be kept for the next start',
} as const;

/** Starts taking measurements in, on top of what the last run kept; the first publication steers by the same. */
export function startLatency({ settings, log, plane }: LatencyParts, closers: Closers): LatencyLoop {
  const file = join(settings.dataDirectory, LATENCY_FILE);
  const ledger = new LatencyLedger();
  const steering = readLedger(file, ledger) ?? new Map();
  plane.startMeasured(measuredFigures(steering));
  const loop = new LatencyLoop({
    ledger,
    steering,
    config: () => plane.config,
    locate: ({ family, octets }) => locateClient(plane.geoTable, family, octets),
    publish: (figures) => plane.useMeasured(figures),
    keep: (steeringNow) => replaceFile(file, formatLedger(ledger, steeringNow)),
    onFailure: (error, what) => log.warn({ err: error }, failures[what]),
    nowMs: () => Date.now(),
    steadyMs: () => performance.now(),
    pause: () => pause(),
  });
  closers.add(() => loop.close());
  return loop;
}

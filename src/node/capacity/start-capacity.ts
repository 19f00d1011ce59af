import { join } from 'node:path';
import type { Config } from '../../config/model.ts';
import type { Logger } from '../../observe/log.ts';
import { createRandomSource } from '../../server/random.ts';
import type { Settings } from '../../settings.ts';
import { readSpills, SPILL_FILE, writeSpills } from '../boot/spill-file.ts';
import type { Closers } from '../closers.ts';
import type { Publisher } from '../compile/publisher.ts';
import { CapacityLoop } from './capacity-loop.ts';

interface CapacityParts {
  readonly settings: Settings;
  readonly log: Logger;
  readonly verdicts: Uint8Array;
  readonly spills: Uint16Array<SharedArrayBuffer>;
  readonly publisher: Publisher;
}

export interface RunningCapacity {
  readonly loop: CapacityLoop;
  /** To be called when another configuration may be served. */
  readonly follow: (config: Config) => void;
}

/** Starts planning spills, from those of the last run; keeps them for the next start. */
export function startCapacity(parts: CapacityParts, closers: Closers): RunningCapacity {
  const { settings, log, verdicts, spills, publisher } = parts;
  const file = join(settings.dataDirectory, SPILL_FILE);
  const loop = new CapacityLoop({
    spills,
    verdicts,
    random: createRandomSource(),
    kept: readSpills(file, Date.now()),
    keep: (kept) => {
      try {
        writeSpills(file, kept, Date.now());
      } catch (error) {
        log.warn({ err: error }, 'the spills could not be kept for the next start');
      }
    },
    nowMs: () => performance.now(),
  });
  closers.add(async () => loop.close());
  const numbers = {
    dataCenterNumber: (name: string) => publisher.dataCenterNumber(name),
    dataCenterName: (number: number) => publisher.dataCenterName(number),
    slotOf: (key: string) => publisher.slotOf(key),
    mapImageOf: (config: Config, steeredName: string) => publisher.mapImageOf(config, steeredName),
  };
  return { loop, follow: (config) => loop.follow(config, numbers) };
}

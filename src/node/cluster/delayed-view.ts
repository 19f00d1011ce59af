import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Config } from '../../config/model.ts';
import { replaceFile } from '../../disk/replace-file.ts';
import type { Logger } from '../../observe/log.ts';
import type { ReplicatedStore } from '../../store/replicated-store.ts';
import type { Closers } from '../closers.ts';

/** How late a node with delayed input applies configuration: long enough to notice a mistake and to cut the node off. */
export const INPUT_DELAY_MS = 3_600_000;

/** Moments are this far apart; what comes between two is applied with the later one. */
export const MOMENT_MS = 60_000;

/** In the data directory. */
export const DELAY_FILE = 'delayed-input.json';

const momentSchema = z.object({
  /** Milliseconds that the node had run. */
  atMs: z.number().min(0),
  heads: z.record(z.string(), z.array(z.string())),
});
const fileSchema = z.object({ ranMs: z.number().min(0), moments: z.array(momentSchema) });

/** The documents as they were when the node had run so long. */
interface Moment {
  readonly atMs: number;
  readonly heads: ReadonlyMap<string, readonly string[]>;
  /** Read when it is needed: after a start most are not. */
  config?: Config;
}

interface DelayedViewOptions {
  readonly store: Pick<ReplicatedStore, 'config' | 'heads' | 'configAt'>;
  /** Keeps moments over restarts. */
  readonly file: string;
  /** Milliseconds on a clock that never goes back. */
  readonly steadyMs: () => number;
  readonly log: Pick<Logger, 'warn'>;
}

/**
 * The configuration of a node with delayed input: what the store held an hour ago. Every minute is remembered by the
 * heads of the documents then, also over restarts.
 *
 *     moments   |----|----|----|--------- an hour ---------|  now
 *                         ^ served
 *
 * Time is counted while the node runs, by a clock that nobody can set: a wrong clock must not hasten anything. In its
 * first hour a node serves what it gets: nothing older is known to it.
 */
export class DelayedView {
  readonly #options: DelayedViewOptions;
  readonly #ranBeforeMs: number;
  readonly #startedMs: number;
  #moments: Moment[];
  #served: Config | undefined;

  constructor(options: DelayedViewOptions) {
    this.#options = options;
    const kept = readMoments(options.file);
    this.#startedMs = options.steadyMs();
    this.#ranBeforeMs = kept?.ranMs ?? 0;
    this.#moments = kept?.moments ?? [];
  }

  /** What is to be served; the newest until an hour has passed. */
  get config(): Config {
    return this.#served ?? this.#options.store.config;
  }

  /**
   * Remembers the present moment where it is time, and goes on to the one of an hour ago. To be called at the start and
   * every minute. Never rejects: what cannot be read is served no later than it is.
   */
  async step(): Promise<void> {
    const ranMs = this.#ranBeforeMs + this.#options.steadyMs() - this.#startedMs;
    const newestMs = this.#moments.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY;
    if (ranMs - newestMs >= MOMENT_MS) await this.#remember(ranMs);
    const dueMs = ranMs - INPUT_DELAY_MS;
    const due = this.#moments.findLastIndex(({ atMs }) => atMs <= dueMs);
    const moment = this.#moments[due];
    if (moment === undefined) return;
    try {
      moment.config ??= await this.#options.store.configAt(moment.heads);
      this.#served = moment.config;
      this.#moments = this.#moments.slice(due);
    } catch (error) {
      this.#options.log.warn(
        { err: error },
        'the configuration of an hour ago cannot be read; what was served stays',
      );
    }
  }

  async #remember(ranMs: number): Promise<void> {
    const { store, file, log } = this.#options;
    const { config } = store;
    this.#moments.push({ atMs: ranMs, heads: new Map(store.heads()), config });
    const moments = this.#moments.map(({ atMs, heads }) => ({ atMs, heads: Object.fromEntries(heads) }));
    try {
      await replaceFile(file, JSON.stringify({ ranMs, moments }), { mode: 0o600 });
    } catch (error) {
      log.warn({ err: error }, 'the delay could not be kept for the next start');
    }
  }
}

/** A file that cannot be read is none: the node begins its hour anew. */
function readMoments(file: string): { readonly ranMs: number; readonly moments: Moment[] } | undefined {
  try {
    const { ranMs, moments } = fileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    return {
      ranMs,
      moments: moments.map(({ atMs, heads }) => ({ atMs, heads: new Map(Object.entries(heads)) })),
    };
  } catch {
    return undefined;
  }
}

/** Goes on minute by minute, and publishes what has become due. */
export function keepDelay(
  view: DelayedView,
  plane: { adoptStored(): Promise<void> },
  log: Pick<Logger, 'error'>,
  closers: Closers,
): void {
  const step = async (): Promise<void> => {
    await view.step();
    await plane.adoptStored();
  };
  const timer = setInterval(() => {
    step().catch((error) =>
      log.error({ err: error }, 'the configuration of an hour ago could not be published'),
    );
  }, MOMENT_MS);
  closers.add(async () => clearInterval(timer));
}

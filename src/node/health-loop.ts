import type { Config } from '../config/model.ts';
import { boardEndpoints, createBoard, type HealthBoard, type VerdictChange } from '../health/board.ts';
import type { EndpointHealth, HealthEvent } from '../health/endpoint-health.ts';
import type { ProbeResult } from '../health/probe-result.ts';
import { type Vantage, vantageTargets } from '../probing/vantage.ts';

/** The name under which this node's own probes count. */
export const LOCAL_VANTAGE = 'local';

/** How often expiry of overrides and votes is looked at. */
const EXPIRY_CHECK_MS = 1000;

interface HealthLoopOptions {
  readonly verdicts: Uint8Array;
  readonly vantage: (onResult: (endpointKey: string, result: ProbeResult) => void) => Vantage;
  readonly nowMs: () => number;
  /** Called after verdicts changed; the verdict table already says so. */
  readonly onChange: () => void;
  readonly onResult: (endpointKey: string, result: ProbeResult) => void;
}

/** Carries probe results to the board, and the board's verdicts into the table that queries read. */
export class HealthLoop {
  readonly #options: HealthLoopOptions;
  readonly #board: HealthBoard = createBoard();
  readonly #vantage: Vantage;
  readonly #timer: NodeJS.Timeout;
  #monitors: ReadonlyMap<string, string | undefined> = new Map();

  constructor(options: HealthLoopOptions) {
    this.#options = options;
    this.#vantage = options.vantage((key, result) => this.#observe(key, result));
    this.#timer = setInterval(
      () => this.#store(this.#board.expire(options.nowMs()).changes),
      EXPIRY_CHECK_MS,
    );
  }

  /** Follows a configuration: its endpoints, monitors and overrides. `slotOf` gives verdict slots by endpoint key. */
  configure(config: Config, slotOf: (endpointKey: string) => number): void {
    const nowMs = this.#options.nowMs();
    const known = boardEndpoints(config, slotOf).filter((endpoint) => endpoint.slot >= 0);
    this.#monitors = new Map(known.map(({ key, monitor }) => [key, monitor]));
    this.#store(this.#board.setEndpoints(known, nowMs));
    const overrides = [...config.overrides.values()].map((stored) => stored.value);
    this.#store(this.#board.setOverrides(overrides, nowMs));
    this.#vantage.setTargets(vantageTargets(config));
  }

  /** Name of the monitor that checks `pool/endpoint`. */
  monitorOf(endpointKey: string): string | undefined {
    return this.#monitors.get(endpointKey);
  }

  health(): readonly EndpointHealth[] {
    return this.#board.health();
  }

  events(): readonly HealthEvent[] {
    return this.#board.events();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#vantage.stop();
  }

  #observe(endpointKey: string, result: ProbeResult): void {
    this.#options.onResult(endpointKey, result);
    this.#store(this.#board.observe(LOCAL_VANTAGE, endpointKey, result, this.#options.nowMs()));
  }

  #store(changes: readonly VerdictChange[]): void {
    for (const { slot, octet } of changes) Atomics.store(this.#options.verdicts, slot, octet);
    if (changes.length > 0) this.#options.onChange();
  }
}

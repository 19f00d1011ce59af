import { type Damped, damp, type Thresholds, UNDAMPED } from '../../src/health/damp.ts';
import type { Observation } from '../../src/health/observation.ts';
import type { ProbeResult } from '../../src/health/probe-result.ts';

/** What vantages say of endpoints whose probes end as the test says. */
export class Observer {
  readonly #damped = new Map<string, Damped>();
  #sequence = 0;

  /** The vantage's observation after one more result. */
  observe(
    vantage: string,
    key: string,
    result: ProbeResult,
    thresholds: Thresholds,
    nowMs: number,
  ): Observation {
    const memory = `${vantage} ${key}`;
    const damped = damp(this.#damped.get(memory) ?? UNDAMPED, result, thresholds, nowMs);
    this.#damped.set(memory, damped);
    const { flaps: _, ...told } = damped;
    this.#sequence += 1;
    return {
      vantage,
      key,
      sequence: this.#sequence,
      ...told,
      latency: undefined,
      result,
      observedAtMs: nowMs,
    };
  }

  /** Forgets what was seen of an endpoint, as a vantage does when its target changes. */
  forget(key: string): void {
    for (const memory of this.#damped.keys()) if (memory.endsWith(` ${key}`)) this.#damped.delete(memory);
  }
}

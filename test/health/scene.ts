import { expect } from 'vitest';
import type { Override } from '../../src/config/resources/override.ts';
import {
  type BoardEndpoint,
  createBoard,
  type HealthBoard,
  type VerdictChange,
} from '../../src/health/board/board.ts';
import { DEFAULT_POOL_RULES, probedCheck } from '../../src/health/board/board-endpoint.ts';
import { Observer } from './observer.ts';
import { resultsOf } from './results.ts';

export const NOW_MS = Date.parse('2030-01-01T12:00:00Z');
export const thresholds = { rise: 2, fall: 2, expiryMs: 3500 };

export function endpoint(name: string, slot: number, more: Partial<BoardEndpoint> = {}): BoardEndpoint {
  return {
    key: `web/${name}`,
    slot,
    pool: 'web',
    endpoint: name,
    dataCenter: name,
    address: `192.0.2.${slot}`,
    probeAddress: undefined,
    monitor: 'http',
    check: probedCheck(`web/${name}`, more.probeAddress ?? more.address ?? `192.0.2.${slot}`, thresholds),
    poolRules: DEFAULT_POOL_RULES,
    ...more,
  };
}

export function overrideOf(state: Override['state'], target: string, expiresAt?: string): Override {
  return {
    id: `${state}-${target}`,
    state,
    target: { kind: 'endpoint', pool: 'web', endpoint: target },
    reason: 'maintenance',
    expiresAt,
  };
}

export const fra = endpoint('fra', 1);
export const ash = endpoint('ash', 2);

/** A board, the verdict table it writes, and one letter per endpoint: `u` up, `d` down, `?` unknown, `x` drained. */
export class Scene {
  readonly board: HealthBoard;
  readonly observer = new Observer();
  limits = thresholds;
  readonly table = new Uint8Array(16);
  nowMs = NOW_MS;

  constructor(...endpoints: readonly BoardEndpoint[]) {
    this.board = createBoard([], [{ name: 'here', region: '' }]);
    this.set(...endpoints);
  }

  set(...endpoints: readonly BoardEndpoint[]): void {
    this.store(this.board.setEndpoints(endpoints, this.nowMs));
  }

  seat(...names: readonly string[]): void {
    this.store(
      this.board.setSeats(
        names.map((name) => ({ name, region: '' })),
        this.nowMs,
      ),
    );
  }

  override(...overrides: readonly Override[]): void {
    this.store(this.board.setOverrides(overrides, this.nowMs));
  }

  /** One result for each letter of the word, 100 ms apart. */
  probe(name: string, word: string, vantage = 'here'): number {
    let stores = 0;
    for (const result of resultsOf(word)) {
      this.nowMs += 100;
      const observation = this.observer.observe(vantage, `web/${name}`, result, this.limits, this.nowMs);
      const changes = this.board.observe(observation, this.nowMs);
      stores += changes.length;
      this.store(changes);
    }
    return stores;
  }

  pass(ms: number): number | undefined {
    this.nowMs += ms;
    const { changes, nextExpiryMs } = this.board.expire(this.nowMs);
    this.store(changes);
    return nextExpiryMs;
  }

  store(changes: readonly VerdictChange[]): void {
    for (const { slot, octet } of changes) {
      expect(this.table[slot], 'only octets that differ are returned').not.toBe(octet);
      this.table[slot] = octet;
    }
  }

  get verdicts(): string {
    return Array.from(this.table.subarray(1, 3), (octet) => '?udx'.charAt(octet & 0b11)).join('');
  }

  get lastKnown(): string {
    return Array.from(this.table.subarray(1, 3), (octet) => ((octet & 0b100) === 0 ? '-' : 'k')).join('');
  }

  health(name: string): ReturnType<HealthBoard['health']>[number] | undefined {
    return this.board.health().find((one) => one.endpoint === name);
  }
}

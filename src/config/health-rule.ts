import type { Config } from './model.ts';
import {
  type ComposedRule,
  composedRuleOf,
  MAX_COMPOSED_DEPTH,
  MAX_COMPOSED_PARTS,
} from './resources/composed-monitor.ts';
import type { Monitor } from './resources/monitor.ts';
import { type Endpoint, endpointKey } from './resources/pool.ts';

/**
 * How an endpoint's verdict comes out of what is observed. References are resolved, so that no rule leads to another.
 *
 *     monitor of web/fra:  all ( monitor http, endpoint db/fra )
 *     rule of web/fra:     at-least 2 of ( source web/fra@http, source db/fra )
 */
export type HealthRule =
  /** What is observed under a key. */
  | { readonly kind: 'source'; readonly key: string }
  /** `up` for an endpoint that nothing checks, `unknown` for a reference that leads nowhere. */
  | { readonly kind: 'constant'; readonly verdict: 'up' | 'unknown' }
  | { readonly kind: 'at-least'; readonly count: number; readonly of: readonly HealthRule[] }
  | { readonly kind: 'not'; readonly of: HealthRule };

/** Something that is observed. */
export interface RuleSource {
  /** `pool/endpoint`, or `pool/endpoint@monitor` for a part of a composed check. */
  readonly key: string;
  readonly monitor: Monitor;
  /** Where probes go; empty for a monitor that sends none. */
  readonly address: string;
}

/** A rule with what it reads, and what is wrong with it. */
export interface ResolvedRule {
  readonly rule: HealthRule;
  readonly sources: readonly RuleSource[];
  readonly mistakes: readonly RuleMistake[];
}

export interface RuleMistake {
  readonly code: string;
  /** The monitor whose settings say so. */
  readonly monitor: string;
  readonly message: string;
}

const UNKNOWN: HealthRule = { kind: 'constant', verdict: 'unknown' };
const UP: HealthRule = { kind: 'constant', verdict: 'up' };

/** The parts of a configuration that rules are made of. */
type RuleConfig = Pick<Config, 'pools' | 'monitors'>;

/** The rule of an endpoint that has a monitor. What is wrong with a reference makes it unknown. */
export function resolveRule(
  config: RuleConfig,
  pool: string,
  endpoint: Endpoint,
  monitor: Monitor,
): ResolvedRule {
  const resolution = new Resolution(config);
  const rule = resolution.own(pool, endpoint, monitor, monitor.name);
  return { rule, sources: [...resolution.sources.values()], mistakes: resolution.mistakes };
}

/** Whether a monitor sends probes. */
export function isProbing({ kind }: Pick<Monitor, 'kind'>): boolean {
  return kind !== 'push' && kind !== 'composed';
}

class Resolution {
  readonly sources = new Map<string, RuleSource>();
  readonly mistakes: RuleMistake[] = [];
  readonly #config: RuleConfig;
  /** The composed monitors that are being resolved, each with its endpoint, outermost first. */
  readonly #open: string[] = [];
  #parts = 0;

  constructor(config: RuleConfig) {
    this.#config = config;
  }

  /** An endpoint by its own monitor; `asked` names the composed monitor that led here. */
  own(pool: string, endpoint: Endpoint, monitor: Monitor, asked: string): HealthRule {
    return this.#check(endpointKey(pool, endpoint.name), pool, endpoint, monitor, asked);
  }

  #check(key: string, pool: string, endpoint: Endpoint, monitor: Monitor, asked: string): HealthRule {
    if (monitor.kind === 'composed') return this.#composed(pool, endpoint, monitor);
    const address = isProbing(monitor) ? (endpoint.probeAddress ?? endpoint.address) : '';
    // A canonical name alone cannot be probed: its address is another server's answer, not configuration.
    if (address === undefined) {
      if (this.#open.length === 0) return UP;
      const name = endpointKey(pool, endpoint.name);
      return this.#mistake('nothing-to-probe', asked, `The endpoint "${name}" has no address to probe.`);
    }
    this.sources.set(key, { key, monitor, address });
    return { kind: 'source', key };
  }

  #composed(pool: string, endpoint: Endpoint, monitor: Monitor): HealthRule {
    const step = `${monitor.name} of ${endpointKey(pool, endpoint.name)}`;
    if (this.#open.includes(step)) {
      const path = [...this.#open.slice(this.#open.indexOf(step)), step].join(', then ');
      return this.#mistake('composed-cycle', monitor.name, `It leads back to itself: ${path}.`);
    }
    if (this.#open.length >= MAX_COMPOSED_DEPTH) {
      const message = `Composed checks name one another more than ${MAX_COMPOSED_DEPTH} levels deep.`;
      return this.#mistake('composed-too-deep', monitor.name, message);
    }
    this.#open.push(step);
    const rule = this.#rule(composedRuleOf(monitor.settings), pool, endpoint, monitor);
    this.#open.pop();
    return rule;
  }

  #rule(rule: ComposedRule, pool: string, endpoint: Endpoint, monitor: Monitor): HealthRule {
    this.#parts += 1;
    if (this.#parts > MAX_COMPOSED_PARTS) return this.#tooLarge(monitor);
    const all = (parts: readonly ComposedRule[]): readonly HealthRule[] =>
      parts.map((part) => this.#rule(part, pool, endpoint, monitor));
    if ('all' in rule) return { kind: 'at-least', count: rule.all.length, of: all(rule.all) };
    if ('any' in rule) return { kind: 'at-least', count: 1, of: all(rule.any) };
    if ('atLeast' in rule) return { kind: 'at-least', count: rule.atLeast, of: all(rule.of) };
    if ('not' in rule) return { kind: 'not', of: this.#rule(rule.not, pool, endpoint, monitor) };
    if ('monitor' in rule) return this.#otherMonitor(rule.monitor, pool, endpoint, monitor);
    return this.#otherEndpoint(rule.endpoint, monitor);
  }

  #otherMonitor(name: string, pool: string, endpoint: Endpoint, by: Monitor): HealthRule {
    const monitor = this.#config.monitors.get(name)?.value;
    if (monitor === undefined) {
      const message = `The composed monitor names the monitor "${name}", which does not exist.`;
      return this.#mistake('unknown-monitor', by.name, message);
    }
    const key = `${endpointKey(pool, endpoint.name)}@${name}`;
    return this.#check(key, pool, endpoint, monitor, by.name);
  }

  #otherEndpoint(key: string, by: Monitor): HealthRule {
    const [poolName = '', name = ''] = key.split('/');
    const pool = this.#config.pools.get(poolName)?.value;
    const endpoint = pool?.endpoints.find((one) => one.name === name);
    if (pool === undefined || endpoint === undefined) {
      const message = `The composed monitor names the endpoint "${key}", which does not exist.`;
      return this.#mistake('unknown-endpoint', by.name, message);
    }
    const monitorName = endpoint.monitor ?? pool.monitor;
    const monitor = monitorName === undefined ? undefined : this.#config.monitors.get(monitorName)?.value;
    return monitor === undefined ? UP : this.own(poolName, endpoint, monitor, by.name);
  }

  /** Told once: what names much, and names that often, comes to more than can be counted. */
  #tooLarge({ name }: Monitor): HealthRule {
    if (this.#parts > MAX_COMPOSED_PARTS + 1) return UNKNOWN;
    const message = `It comes to more than ${MAX_COMPOSED_PARTS} parts with all that it names.`;
    return this.#mistake('composed-too-large', name, message);
  }

  #mistake(code: string, monitor: string, message: string): HealthRule {
    this.mistakes.push({ code, monitor, message });
    return UNKNOWN;
  }
}

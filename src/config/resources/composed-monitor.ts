import { z } from 'zod';
import { boundNesting } from '../nesting.ts';
import { resourceName } from './fields.ts';
import type { ProbeKindContract } from './monitor.ts';

/** Deeper than this nobody reads a rule; monitors and endpoints that it names count as levels of it. */
export const MAX_COMPOSED_DEPTH = 8;

/** Most parts of one rule with all that it names: they are looked at whenever one of them changes. */
export const MAX_COMPOSED_PARTS = 256;

/** Most parts of one level. */
const MAX_PARTS_PER_LEVEL = 64;

/** How verdicts are joined into one. */
export type ComposedRule =
  | { readonly all: readonly ComposedRule[] }
  | { readonly any: readonly ComposedRule[] }
  | { readonly atLeast: number; readonly of: readonly ComposedRule[] }
  | { readonly not: ComposedRule }
  /** `pool/endpoint`: what probes say of another endpoint. */
  | { readonly endpoint: string }
  /** Another monitor, run against the same endpoint. */
  | { readonly monitor: string };

const rule: z.ZodType<ComposedRule> = z.lazy(() => anyRule);
const rules = z.array(rule).min(1).max(MAX_PARTS_PER_LEVEL);

const endpointName = z
  .string()
  .max(127)
  .regex(/^[a-z0-9-]+\/[a-z0-9-]+$/, 'must be the names of a pool and of its endpoint: web/fra');

const anyRule = z
  .union(
    [
      z.strictObject({ all: rules }),
      z.strictObject({ any: rules }),
      z
        .strictObject({ atLeast: z.int().min(1).max(MAX_PARTS_PER_LEVEL), of: rules })
        .refine(({ atLeast, of }) => atLeast <= of.length, {
          error: 'must not be more than there are parts',
          path: ['atLeast'],
        }),
      z.strictObject({ not: rule }),
      z.strictObject({ endpoint: endpointName }),
      z.strictObject({ monitor: resourceName }),
    ],
    { error: 'must have one of all, any, atLeast with of, not, endpoint and monitor' },
  )
  .meta({ id: 'ComposedRule' });

/** Levels of JSON that one level of a rule takes: the rule, and its list. */
const JSON_LEVELS_PER_RULE = 2;

/** Nesting is bounded before anything recurses over it. */
const boundedRule = boundNesting<ComposedRule>(
  anyRule,
  MAX_COMPOSED_DEPTH * JSON_LEVELS_PER_RULE,
  `must not nest more than ${MAX_COMPOSED_DEPTH} levels`,
);

/** The kind of monitor that sends no probe but joins the verdicts of others. */
export const composedMonitor: ProbeKindContract = {
  kind: 'composed',
  settings: z.strictObject({ rule: boundedRule }) as unknown as ProbeKindContract['settings'],
};

/** The rule of a monitor of kind `composed`, as its schema returned it. */
export function composedRuleOf(settings: Readonly<Record<string, unknown>>): ComposedRule {
  return settings.rule as ComposedRule;
}

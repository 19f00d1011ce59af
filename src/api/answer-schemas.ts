import { z } from 'zod';
import { outcomes } from '../answer/decision.ts';
import type { Explanation } from '../answer/explanation.ts';
import type { Problem } from '../config/problem.ts';
import { overrideStates } from '../config/resources/override.ts';
import { unknownRules } from '../config/resources/pool.ts';
import type { EndpointHealth, VantageSight } from '../health/endpoint-health.ts';
import { probeReasons } from '../health/probe-result.ts';
import type { Demo, NodeStatus } from './control-plane.ts';

/*
 * Schemas of what the API answers and never reads, for the OpenAPI document. Each is held against the type that is
 * answered, so that one cannot change without the other.
 */

/** A type as JSON carries it: fields that may be undefined are left out. */
type AsJson<T> = T extends string | number | boolean | undefined
  ? T
  : T extends readonly (infer E)[]
    ? readonly AsJson<E>[]
    : { [K in keyof T as undefined extends T[K] ? never : K]: AsJson<T[K]> } & {
        [K in keyof T as undefined extends T[K] ? K : never]?: AsJson<T[K]> | undefined;
      };

const time = z.iso.datetime();
const verdict = z.enum(['up', 'down', 'unknown', 'drained']);
const basis = z.enum(['quorum', 'divided', 'no-quorum', 'silent']);
const probedVerdict = z.enum(['up', 'down', 'unknown']);

export const problemSchema: z.ZodType<AsJson<Problem>> = z
  .object({
    code: z.string(),
    path: z.string(),
    message: z.string(),
    source: z.object({ file: z.string(), line: z.int() }).optional(),
  })
  .meta({ id: 'Problem' });

const lastResultSchema = z
  .object({
    vantage: z.string(),
    at: time,
    ok: z.boolean(),
    reason: z.enum(probeReasons),
    detail: z.string(),
    durationMs: z.number(),
    evidence: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  })
  .meta({ id: 'LastResult' });

export const endpointHealthSchema: z.ZodType<AsJson<EndpointHealth>> = z
  .object({
    key: z.string(),
    pool: z.string(),
    endpoint: z.string(),
    dataCenter: z.string(),
    address: z.string(),
    probeAddress: z.string().optional(),
    monitor: z.string().optional(),
    verdict,
    since: time,
    reason: z.string(),
    probed: probedVerdict,
    basis,
    stale: z.boolean(),
    rememberedFrom: time.optional(),
    unknown: z.enum(unknownRules),
    held: z
      .object({ rail: z.enum(['minimumUp', 'maxLostDataCenters']), instead: verdict, reason: z.string() })
      .optional(),
    lastKnownUp: z.boolean(),
    lastResult: lastResultSchema.optional(),
    consecutiveSuccesses: z.int(),
    consecutiveFailures: z.int(),
    vantages: z.array(
      z.object({
        vantage: z.string(),
        verdict: probedVerdict,
        at: time,
        fresh: z.boolean(),
        votes: z.boolean(),
      }),
    ),
    parts: z.array(z.object({ key: z.string(), monitor: z.string(), verdict: probedVerdict, basis })),
    override: z
      .object({
        kind: z.enum(['override', 'maintenance-window']),
        id: z.string(),
        state: z.enum(overrideStates),
        author: z.string().optional(),
        reason: z.string(),
        expiresAt: z.string().optional(),
      })
      .optional(),
    drain: z
      .object({ leftAt: time.optional(), safeToRebootAt: time.optional(), note: z.string() })
      .optional(),
  })
  .meta({ id: 'EndpointHealth' });

export const vantageSightSchema: z.ZodType<VantageSight> = z
  .object({
    vantage: z.string(),
    region: z.string(),
    up: z.int(),
    down: z.int(),
    suspect: z.boolean(),
    away: z.boolean(),
  })
  .meta({ id: 'VantageSight' });

export const nodeStatusSchema: z.ZodType<AsJson<NodeStatus>> = z
  .object({
    version: z.string(),
    startedAt: time,
    generation: z.int(),
    ready: z.boolean(),
    conditions: z.array(z.object({ name: z.string(), holds: z.boolean(), detail: z.string() })),
    geo: z.object({
      name: z.string(),
      builtAt: z.string(),
      attribution: z.string(),
      attributionUrl: z.string(),
      ageSeconds: z.number(),
    }),
    dns: z.array(z.string()),
  })
  .meta({ id: 'NodeStatus' });

export const demoDataCenterSchema: z.ZodType<ReturnType<Demo['list']>[number]> = z
  .object({ dataCenter: z.string(), address: z.string(), broken: z.boolean() })
  .meta({ id: 'DemoDataCenter' });

const coordinates = z.object({ latitude: z.number(), longitude: z.number() });

const explainedDataCenterSchema = z
  .object({
    name: z.string(),
    distanceKm: z.number().optional(),
    rank: z.int().optional(),
    chosen: z.boolean(),
    endpoints: z.array(
      z.object({
        key: z.string(),
        address: z.string(),
        verdict,
        since: time.optional(),
        reason: z.string(),
        lastResult: lastResultSchema.optional(),
        fits: z.boolean(),
        answered: z.boolean(),
      }),
    ),
  })
  .meta({ id: 'ExplainedDataCenter' });

const explainedClientSchema = z.object({
  address: z.string().optional(),
  prefix: z.string().optional(),
  source: z.enum(['none', 'client-subnet', 'resolver']),
  location: z
    .object({
      country: z.string(),
      subdivision: z.string(),
      continent: z.string(),
      coordinates: coordinates.optional(),
      asn: z.int(),
    })
    .optional(),
});

const explainedAnswerSchema = z.object({
  outcome: z.enum(outcomes),
  rcode: z.string(),
  tier: z.enum(['none', 'up', 'unknown', 'fail-open', 'last-known', 'fallback']),
  records: z.array(z.string()),
  ttlSeconds: z.int(),
  scope: z.string().optional(),
});

export const explanationSchema: z.ZodType<Explanation> = z
  .object({
    question: z.object({
      name: z.string(),
      type: z.string(),
      client: z.string().optional(),
      resolver: z.string(),
    }),
    client: explainedClientSchema,
    steps: z.array(
      z.object({
        step: z.enum(['zone', 'lookup', 'client', 'policy', 'candidates', 'choice', 'answer']),
        text: z.string(),
        details: z.record(z.string(), z.unknown()),
      }),
    ),
    dataCenters: z.array(explainedDataCenterSchema),
    answer: explainedAnswerSchema,
    attribution: z.string(),
  })
  .meta({ id: 'Explanation' });

import { z } from 'zod';
import { domainName, ipAddress, resourceName, ttlSeconds } from './fields.ts';

/** What a steered name answers when no endpoint of its pool is up or unknown. */
export const allDownChoices = ['fail-open', 'last-known', 'fallback', 'nodata', 'servfail'] as const;
export type AllDown = (typeof allDownChoices)[number];

/** Most addresses in one steered answer: with AAAA it still fits a 1232-octet UDP answer. */
export const MAX_STEERED_ANSWERS = 8;

/** An owner name whose answer comes from a pool through a policy. */
export const steeredNameSchema = z
  .strictObject({
    name: domainName,
    pool: resourceName,
    policy: resourceName,
    ttlSeconds: ttlSeconds.max(86_400).default(30),
    /** Most addresses of the chosen data center in one answer. */
    answers: z.int().min(1).max(MAX_STEERED_ANSWERS).default(1),
    allDown: z.enum(allDownChoices).default('fail-open'),
    /** Answered when all are down and `allDown` is `fallback`. */
    fallback: z.array(ipAddress).min(1).max(MAX_STEERED_ANSWERS).optional(),
  })
  .refine((steered) => (steered.allDown === 'fallback') === (steered.fallback !== undefined), {
    error: 'fallback addresses are needed when, and only when, allDown is "fallback"',
    path: ['fallback'],
  })
  .meta({ id: 'SteeredName' });

export type SteeredName = Readonly<z.infer<typeof steeredNameSchema>>;

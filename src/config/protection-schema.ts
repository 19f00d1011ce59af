import { z } from 'zod';
import { MAX_UDP_PAYLOAD } from '../dns/opt.ts';
import { parseExactPrefix } from '../geo/prefix.ts';
import { defaultProtection, type ProtectionSettings } from '../protection/settings.ts';
import { parseBody } from './contract.ts';
import type { Parsed } from './problem.ts';

/** Each list is compiled while the node starts; this many take milliseconds and cost a query some twenty steps. */
const MAX_PREFIXES = 100_000;

/** What a client of any kind may be given over UDP (RFC 1035 section 4.2.1). */
const MIN_UDP_ANSWER_OCTETS = 512;

/** Far more than any resolver asks of one answer in a second. */
const MAX_RESPONSES_PER_SECOND = 100_000;

/** BIND's own bound, and its default: an account is out of debt a quarter of a minute after a flood. */
const MAX_WINDOW_SECONDS = 3600;
const DEFAULT_WINDOW_SECONDS = 15;

/** With every tenth response a client behind a flood waits long enough for its truncated answer. */
const MAX_SLIP = 10;

const prefixes = z
  .array(
    z.string().refine((text) => parseExactPrefix(text) !== undefined, {
      error: 'must be an IPv4 or IPv6 prefix such as 192.0.2.0/24, with no bits set past its length',
    }),
  )
  .max(MAX_PREFIXES)
  .default([]);

const cookies = z.strictObject({
  enabled: z.boolean().default(defaultProtection.cookies.enabled),
  secretFile: z.string().min(1).optional(),
  required: z.boolean().default(defaultProtection.cookies.required),
});

const rateLimit = z.strictObject({
  responsesPerSecond: z.int().min(1).max(MAX_RESPONSES_PER_SECOND),
  windowSeconds: z.int().min(1).max(MAX_WINDOW_SECONDS).default(DEFAULT_WINDOW_SECONDS),
  slip: z.int().min(0).max(MAX_SLIP).default(2),
  ipv4PrefixLength: z.int().min(8).max(32).default(24),
  // One site is given a /64 at least; to tell addresses in it apart would only help who has all of them.
  ipv6PrefixLength: z.int().min(16).max(64).default(56),
  exempt: prefixes,
});

const access = z
  .strictObject({ allow: prefixes, deny: prefixes, denied: z.enum(['drop', 'refuse']).default('drop') })
  .superRefine(({ allow, deny }, context) => {
    if (allow.length > 0 && deny.length === 0)
      context.addIssue({
        code: 'custom',
        path: ['allow'],
        message:
          'has no effect without "deny", from which it makes exceptions; to serve these only, deny 0.0.0.0/0 and ::/0',
      });
    const denied = new Set(deny);
    for (const [i, prefix] of allow.entries())
      if (denied.has(prefix))
        context.addIssue({ code: 'custom', path: ['allow', i], message: `${prefix} is in "deny" as well` });
  });

const protection = z.strictObject({
  cookies: cookies.prefault({}),
  rateLimit: rateLimit.optional(),
  access: access.optional(),
  maxUdpAnswerOctets: z
    .int()
    .min(MIN_UDP_ANSWER_OCTETS)
    .max(MAX_UDP_PAYLOAD)
    .default(defaultProtection.maxUdpAnswerOctets),
});

/** Checks what a protection file has; an empty file has the defaults. */
export function parseProtection(value: unknown): Parsed<ProtectionSettings> {
  return parseBody<ProtectionSettings>(protection, value ?? {}, '');
}

import { z } from 'zod';
import { formatName, lowercaseName, parseName } from '../../dns/name.ts';
import { MAX_TTL_SECONDS } from '../../dns/ttl.ts';

/** A resource's name: lower case letters, digits and hyphens, as in a DNS label. */
export const resourceName = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'must be 1 to 63 lower case letters, digits or hyphens, and neither start nor end with a hyphen',
  );

/** An IPv4 or IPv6 address in text form, without a zone index or prefix length. */
export const ipAddress = z.union([z.ipv4(), z.ipv6()], { error: 'must be an IPv4 or IPv6 address' });

/** RFC 1035 section 2.3.4: at most 253 characters without the final dot, plus room for escapes. */
export const MAX_DOMAIN_NAME_TEXT_LENGTH = 1016;

/**
 * A domain name in presentation form (RFC 1035 section 5.1), absolute with or without the final dot.
 * The text becomes canonical, so that equal names are equal texts: lower case, with the final dot, and no escape
 * that is not needed.
 */
export const domainName = z
  .string()
  .min(1)
  .max(MAX_DOMAIN_NAME_TEXT_LENGTH)
  .transform((text, context) => {
    const name = parseName(text);
    if (name.ok) return formatName(lowercaseName(name.value));
    for (const { message } of name.problems) context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

/** Load units that something can take: any unit, as long as all that is compared with it has the same. */
export const capacity = z.number().positive().max(1e15);

export const ttlSeconds = z.int().min(0).max(MAX_TTL_SECONDS);

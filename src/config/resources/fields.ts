import { z } from 'zod';

/** Longest name of a resource; it appears in URLs, metrics labels and map keys. */
export const MAX_RESOURCE_NAME_LENGTH = 63;

/** A resource's name: lower case letters, digits and hyphens, as in a DNS label. */
export const resourceName = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'must be 1 to 63 lower case letters, digits or hyphens, and neither start nor end with a hyphen',
  );

/** An IPv4 or IPv6 address in text form, without a zone index or prefix length. */
export const ipAddress = z.union([z.ipv4(), z.ipv6()], { error: 'must be an IPv4 or IPv6 address' });

/** An address prefix in text form: `192.0.2.0/24`, `2001:db8::/32`. */
export const addressPrefix = z.union([z.cidrv4(), z.cidrv6()], {
  error: 'must be an IPv4 or IPv6 prefix such as 192.0.2.0/24',
});

/** RFC 1035 section 2.3.4: at most 253 characters without the final dot, plus room for escapes. */
export const MAX_DOMAIN_NAME_TEXT_LENGTH = 1016;

/**
 * A domain name in presentation form (RFC 1035 section 5.1), absolute with or without the final dot.
 * The text becomes canonical: lower case, with the final dot. `dns/name.ts` checks labels and lengths.
 */
export const domainName = z
  .string()
  .min(1)
  .max(MAX_DOMAIN_NAME_TEXT_LENGTH)
  .transform((text) => (text.endsWith('.') ? text : `${text}.`).toLowerCase());

/** RFC 2181 section 8: a TTL is 0 to 2^31 - 1 seconds. */
export const MAX_TTL_SECONDS = 0x7fff_ffff;

export const ttlSeconds = z.int().min(0).max(MAX_TTL_SECONDS);

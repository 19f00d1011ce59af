import { isIP } from 'node:net';
import { z } from 'zod';
import { domainName } from '../config/resources/fields.ts';

/** No certificate that is trusted today lives longer than thirteen months. */
export const MAX_EXPIRY_DAYS = 400;

/** Half of what a renewal every sixty of ninety days leaves: it is late by then, and can still be done by hand. */
export const DEFAULT_EXPIRY_WARNING_DAYS = 14;

/** Settings that probes over TLS share. */
export const tlsSettingsFields = {
  /** Sent as SNI (RFC 6066 section 3) and looked for in the certificate; without it, the address is looked for. */
  serverName: domainName
    .refine((name) => isIP(toServerName(name)) === 0, {
      error: 'must be a name; leave it out and the certificate must be for the address',
    })
    .optional(),
  /** Whether a certificate that is expired, untrusted or for another name counts as failure. */
  verifyCertificate: z.boolean().default(true),
};

/** RFC 6066 section 3: SNI has no final dot. Empty for none. */
export function toServerName(name: string | undefined): string {
  return name?.slice(0, -1) ?? '';
}

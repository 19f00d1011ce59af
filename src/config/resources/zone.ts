import { z } from 'zod';
import { domainName, ttlSeconds } from './fields.ts';

/**
 * A zone. Its records live either one by one in the store (`kind: 'rrsets'`, edited by the API; SOA and apex NS
 * are made from the fields here), or whole in a content-addressed blob of zone-file text (`kind: 'blob'`, from a
 * zone file of a configuration directory, which has its own SOA and NS).
 */
export const zoneSchema = z
  .strictObject({
    name: domainName,
    description: z.string().max(200).optional(),
    /** Host names of the apex NS RRset; the first is the SOA's MNAME. */
    nameServers: z.array(domainName).min(1).max(13),
    /** The SOA's RNAME, in domain form: `hostmaster.example.org.`. */
    contact: z
      .string()
      .refine((text) => !text.includes('@'), {
        error:
          'must be in domain form: hostmaster.example.org for hostmaster@example.org (RFC 1035 section 3.3.13)',
      })
      .pipe(domainName)
      .default('hostmaster.invalid.'),
    /** TTL of the synthesised SOA and apex NS. */
    ttlSeconds: ttlSeconds.default(3600),
    /** The SOA's MINIMUM: the TTL of negative answers (RFC 2308 section 4). */
    negativeTtlSeconds: ttlSeconds.max(86_400).default(300),
  })
  .meta({ id: 'Zone' });

export type ApiZone = Readonly<z.infer<typeof zoneSchema>>;

export type Zone =
  | (ApiZone & { readonly kind: 'rrsets' })
  | {
      readonly kind: 'blob';
      readonly name: string;
      /** SHA-256 of the blob, hex. */
      readonly blob: string;
      readonly rrsetCount: number;
    };

import { z } from 'zod';
import { domainName, ttlSeconds } from './fields.ts';

/** More records than this in one RRset do not fit a 64 KiB message. */
export const MAX_RECORDS_PER_RRSET = 2000;

/** All records of one owner name and type (RFC 2181 section 5). */
export const rrsetSchema = z
  .strictObject({
    /** Absolute owner name, inside the zone. */
    name: domainName,
    /** Mnemonic (`A`) or RFC 3597 form (`TYPE65400`). */
    type: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9-]*$/, 'must be a record type such as A or TYPE65400')
      .transform((text) => text.toUpperCase()),
    ttlSeconds,
    /** Each record's rdata in presentation form (RFC 1035 section 5.1); names in it are absolute. */
    records: z.array(z.string().min(1).max(70_000)).min(1).max(MAX_RECORDS_PER_RRSET),
  })
  .meta({ id: 'RRset' });

export type RRset = Readonly<Omit<z.infer<typeof rrsetSchema>, 'records'>> & { readonly records: readonly string[] };

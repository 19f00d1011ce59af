import { z } from 'zod';
import { formatType, isMetaType, parseType } from '../../dns/type.ts';
import { domainName, ttlSeconds } from './fields.ts';

/** About as many AAAA records as fit a message of 64 KiB; whether an RRset does fit is checked by its octets. */
export const MAX_RECORDS_PER_RRSET = 2000;

/** Longer than any mnemonic. */
const MAX_TYPE_TEXT_LENGTH = 32;

/** All records of one owner name and type (RFC 2181 section 5). */
export const rrsetSchema = z
  .strictObject({
    /** Absolute owner name, inside the zone. */
    name: domainName,
    /** Mnemonic (`A`) or RFC 3597 form (`TYPE65400`); becomes the mnemonic where there is one. */
    type: z
      .string()
      .max(MAX_TYPE_TEXT_LENGTH)
      .transform((text, context) => {
        const type = parseType(text);
        if (type !== undefined && !isMetaType(type)) return formatType(type);
        context.addIssue({ code: 'custom', message: 'must be a record type such as A or TYPE65400' });
        return z.NEVER;
      }),
    ttlSeconds,
    /** Each record's rdata in presentation form (RFC 1035 section 5.1); names in it are absolute. */
    records: z.array(z.string().min(1).max(70_000)).min(1).max(MAX_RECORDS_PER_RRSET),
  })
  .meta({ id: 'RRset' });

export type RRset = Readonly<Omit<z.infer<typeof rrsetSchema>, 'records'>> & {
  readonly records: readonly string[];
};

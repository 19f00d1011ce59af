import { TYPE_SOA } from '../type.ts';
import { integerField, nameField, secondsField } from './field.ts';
import { declareKind, type RdataKind } from './kind.ts';

/** RFC 1035 section 3.3.13. */
export const soaKind: RdataKind = declareKind({
  type: TYPE_SOA,
  mnemonic: 'SOA',
  fields: [
    nameField('primary name server'),
    nameField('mailbox'),
    integerField('serial', 4),
    secondsField('refresh'),
    secondsField('retry'),
    secondsField('expire'),
    secondsField('minimum'),
  ],
  names: { compressible: true, additional: false },
});

/** The last four octets of an SOA's rdata: the TTL of negative answers (RFC 2308 section 4), in seconds. */
export function soaMinimumSeconds(rdata: Uint8Array): number {
  const start = rdata.length - 4;
  let seconds = 0;
  for (let i = start; i < rdata.length; i += 1) seconds = seconds * 256 + (rdata[i] ?? 0);
  return seconds;
}

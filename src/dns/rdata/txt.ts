import { TYPE_TXT } from '../type.ts';
import { characterStringField } from './field.ts';
import { declareKind, type RdataKind } from './kind.ts';

/** RFC 1035 section 3.3.14: one or more strings of at most 255 octets. */
export const txtKind: RdataKind = declareKind({
  type: TYPE_TXT,
  mnemonic: 'TXT',
  fields: [characterStringField('string')],
  repeated: true,
});

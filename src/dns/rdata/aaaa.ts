import { TYPE_AAAA } from '../type.ts';
import { addressField } from './field.ts';
import { declareKind, type RdataKind } from './kind.ts';

/** RFC 3596 section 2.1. */
export const aaaaKind: RdataKind = declareKind({
  type: TYPE_AAAA,
  mnemonic: 'AAAA',
  fields: [addressField('address', 6)],
});

import { TYPE_A } from '../type.ts';
import { addressField } from './field.ts';
import { declareKind, type RdataKind } from './kind.ts';

/** RFC 1035 section 3.4.1. */
export const aKind: RdataKind = declareKind({
  type: TYPE_A,
  mnemonic: 'A',
  fields: [addressField('address', 4)],
});

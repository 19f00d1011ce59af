import { TYPE_MX } from '../type.ts';
import { integerField, nameField } from './field.ts';
import { declareKind, type RdataKind } from './kind.ts';

/** RFC 1035 section 3.3.9; a null MX (RFC 7505) is `0 .`. */
export const mxKind: RdataKind = declareKind({
  type: TYPE_MX,
  mnemonic: 'MX',
  fields: [integerField('preference', 2), nameField('exchange')],
  names: { compressible: true, additional: true },
});

import { TYPE_PTR } from '../type.ts';
import { nameField } from './field.ts';
import { declareKind, type RdataKind } from './kind.ts';

/** RFC 1035 section 3.3.12. */
export const ptrKind: RdataKind = declareKind({
  type: TYPE_PTR,
  mnemonic: 'PTR',
  fields: [nameField('name')],
  names: { compressible: true, additional: false },
});

import { TYPE_CNAME } from '../type.ts';
import { nameField } from './field.ts';
import { declareKind, type RdataKind } from './kind.ts';

/** RFC 1035 section 3.3.1. */
export const cnameKind: RdataKind = declareKind({
  type: TYPE_CNAME,
  mnemonic: 'CNAME',
  fields: [nameField('canonical name')],
  names: { compressible: true, additional: false },
});

import { TYPE_NS } from '../type.ts';
import { nameField } from './field.ts';
import { declareKind, type RdataKind } from './kind.ts';

/** RFC 1035 section 3.3.11. */
export const nsKind: RdataKind = declareKind({
  type: TYPE_NS,
  mnemonic: 'NS',
  fields: [nameField('name server')],
  names: { compressible: true, additional: true },
});

import { TYPE_SRV } from '../type.ts';
import { integerField, nameField } from './field.ts';
import { declareKind, type RdataKind } from './kind.ts';

/** RFC 2782, which says that the target is not compressed. */
export const srvKind: RdataKind = declareKind({
  type: TYPE_SRV,
  mnemonic: 'SRV',
  fields: [
    integerField('priority', 2),
    integerField('weight', 2),
    integerField('port', 2),
    nameField('target'),
  ],
  names: { compressible: false, additional: true },
});

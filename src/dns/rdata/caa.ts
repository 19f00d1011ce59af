import { TYPE_CAA } from '../type.ts';
import { integerField, remainderField, tagField } from './field.ts';
import { declareKind, type RdataKind } from './kind.ts';

/** RFC 8659 section 4.1. */
export const caaKind: RdataKind = declareKind({
  type: TYPE_CAA,
  mnemonic: 'CAA',
  fields: [integerField('flags', 1), tagField('tag'), remainderField('value')],
});

import type { Bodies, Contract } from '../../config/contract.ts';
import type { SteeredName } from '../../config/resources/steered-name.ts';
import { API_OWNER, type ApiCollection } from '../collection.ts';
import { domainIdentity } from '../identities.ts';
import { topLevelCollection } from '../top-level-collection.ts';

/** `/v1/steered-names` */
export function steeredNameCollection(
  contract: Contract,
): ApiCollection<SteeredName, Bodies['steeredNames']> {
  return topLevelCollection({
    noun: 'steered name',
    one: 'SteeredName',
    many: 'SteeredNames',
    segment: 'steered-names',
    parameter: 'name',
    parameterText: 'Owner name of the steered name, with or without the final dot.',
    field: 'name',
    schema: contract.schemas.steeredNames,
    valueSchema: contract.schemas.steeredNames,
    identify: domainIdentity,
    collection: 'steeredNames',
    entries: (config) => config.steeredNames,
    toValue: (body) => body,
    toBody: (value) => value,
    changes: (key, value) => [{ collection: 'steeredNames', key, owner: API_OWNER, value }],
  });
}

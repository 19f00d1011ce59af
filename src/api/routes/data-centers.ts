import type { Bodies, Contract } from '../../config/contract.ts';
import type { DataCenter } from '../../config/resources/data-center.ts';
import { API_OWNER, type ApiCollection } from '../collection.ts';
import { plainIdentity } from '../identities.ts';
import { topLevelCollection } from '../top-level-collection.ts';

/** `/v1/data-centers` */
export function dataCenterCollection(contract: Contract): ApiCollection<DataCenter, Bodies['dataCenters']> {
  return topLevelCollection({
    noun: 'data center',
    one: 'DataCenter',
    many: 'DataCenters',
    segment: 'data-centers',
    parameter: 'dataCenter',
    parameterText: 'Name of the data center.',
    field: 'name',
    schema: contract.schemas.dataCenters,
    valueSchema: contract.schemas.dataCenters,
    identify: plainIdentity('name'),
    collection: 'dataCenters',
    entries: (config) => config.dataCenters,
    toValue: (body) => body,
    toBody: (value) => value,
    changes: (key, value) => [{ collection: 'dataCenters', key, owner: API_OWNER, value }],
  });
}

import type { Bodies, Contract } from '../../config/contract.ts';
import type { Pool } from '../../config/resources/pool.ts';
import { API_OWNER, type ApiCollection } from '../collection.ts';
import { plainIdentity } from '../identities.ts';
import { topLevelCollection } from '../top-level-collection.ts';

/** `/v1/pools` */
export function poolCollection(contract: Contract): ApiCollection<Pool, Bodies['pools']> {
  return topLevelCollection({
    noun: 'pool',
    one: 'Pool',
    many: 'Pools',
    segment: 'pools',
    parameter: 'pool',
    parameterText: 'Name of the pool.',
    field: 'name',
    schema: contract.schemas.pools,
    valueSchema: contract.schemas.pools,
    identify: plainIdentity('name'),
    collection: 'pools',
    entries: (config) => config.pools,
    toValue: (body) => body,
    toBody: (value) => value,
    changes: (key, value) => [{ collection: 'pools', key, owner: API_OWNER, value }],
  });
}

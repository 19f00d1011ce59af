import type { Bodies, Contract } from '../../config/contract.ts';
import type { Monitor } from '../../config/resources/monitor.ts';
import { API_OWNER, type ApiCollection } from '../collection.ts';
import { plainIdentity } from '../identities.ts';
import { topLevelCollection } from '../top-level-collection.ts';

/** `/v1/monitors` */
export function monitorCollection(contract: Contract): ApiCollection<Monitor, Bodies['monitors']> {
  return topLevelCollection({
    noun: 'monitor',
    one: 'Monitor',
    many: 'Monitors',
    segment: 'monitors',
    parameter: 'monitor',
    parameterText: 'Name of the monitor.',
    field: 'name',
    schema: contract.schemas.monitors,
    valueSchema: contract.schemas.monitors,
    identify: plainIdentity('name'),
    collection: 'monitors',
    entries: (config) => config.monitors,
    toValue: (body) => body,
    toBody: (value) => value,
    changes: (key, value) => [{ collection: 'monitors', key, owner: API_OWNER, value }],
  });
}

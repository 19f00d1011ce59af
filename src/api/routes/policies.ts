import type { Bodies, Contract } from '../../config/contract.ts';
import type { Policy } from '../../config/resources/policy.ts';
import { API_OWNER, type ApiCollection } from '../collection.ts';
import { plainIdentity } from '../identities.ts';
import { topLevelCollection } from '../top-level-collection.ts';

/** `/v1/policies` */
export function policyCollection(contract: Contract): ApiCollection<Policy, Bodies['policies']> {
  return topLevelCollection({
    noun: 'policy',
    one: 'Policy',
    many: 'Policies',
    segment: 'policies',
    parameter: 'policy',
    parameterText: 'Name of the policy.',
    field: 'name',
    schema: contract.schemas.policies,
    valueSchema: contract.schemas.policies,
    identify: plainIdentity('name'),
    collection: 'policies',
    entries: (config) => config.policies,
    toValue: (body) => body,
    toBody: (value) => value,
    changes: (key, value) => [{ collection: 'policies', key, owner: API_OWNER, value }],
  });
}

import type { Bodies, Contract } from '../../config/contract.ts';
import type { ClusterNode } from '../../config/resources/cluster-node.ts';
import { API_OWNER, type ApiCollection } from '../collection.ts';
import { plainIdentity } from '../identities.ts';
import { topLevelCollection } from '../top-level-collection.ts';

/** `/v1/nodes`: the members of the cluster, to be read; the cluster's own operations write them. */
export function clusterNodeCollection(contract: Contract): ApiCollection<ClusterNode, Bodies['nodes']> {
  return topLevelCollection({
    noun: 'node',
    one: 'ClusterNode',
    many: 'ClusterNodes',
    segment: 'nodes',
    parameter: 'node',
    parameterText: 'Name of the node.',
    field: 'name',
    schema: contract.schemas.nodes,
    valueSchema: contract.schemas.nodes,
    identify: plainIdentity('name'),
    collection: 'nodes',
    entries: (config) => config.nodes,
    toValue: (body) => body,
    toBody: (value) => value,
    changes: (key, value) => [{ collection: 'nodes', key, owner: API_OWNER, value }],
  });
}

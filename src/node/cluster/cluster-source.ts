import type { ClusterSource } from '../../api/cluster-source.ts';
import type { NodeCluster } from './node-cluster.ts';

/** The running cluster as the API sees it. */
export function clusterSource({ identity, membership }: NodeCluster): ClusterSource {
  const { clusterId, name } = identity.files.settings;
  return {
    node: name,
    clusterId,
    members: () => membership.members(),
    get mostWithdrawn() {
      return membership.mostWithdrawn;
    },
    askWithdrawal: (reason) => membership.askWithdrawal(reason),
    isAnnounced: () => membership.isAnnounced(),
  };
}

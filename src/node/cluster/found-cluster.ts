import type { ClusterSettings } from '../../cluster/identity/cluster-settings.ts';
import { nodeOf } from '../../cluster/identity/create-cluster.ts';
import type { IdentityFiles } from '../../cluster/identity/identity-files.ts';
import { type MembershipStore, nodeChange, tryToWrite } from '../../cluster/identity/membership.ts';
import type { Config } from '../../config/model.ts';
import { StartError } from '../start-error.ts';

/** Whether this is the node that the cluster begins with, and nobody has written so yet. */
export function isFirst(
  { peers, srvName, serviceName }: ClusterSettings,
  { nodes }: Pick<Config, 'nodes'>,
): boolean {
  return nodes.size === 0 && peers.length === 0 && srvName === undefined && serviceName === undefined;
}

/** Writes down the first node. */
export async function foundCluster(members: MembershipStore, files: IdentityFiles): Promise<void> {
  const authorship = { author: 'cluster', reason: 'the first node of the cluster' };
  const written = await tryToWrite(members, [nodeChange(nodeOf(files, new Date()))], authorship);
  if (!written.ok) throw new StartError(written.problems);
}

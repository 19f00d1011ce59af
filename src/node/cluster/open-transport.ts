import type { ClusterIdentity } from '../../cluster/identity/cluster-identity.ts';
import type { JoinListener } from '../../cluster/identity/join-listener.ts';
import { splitAddress } from '../../cluster/identity/peer-address.ts';
import { MeshTransport } from '../../cluster/transport/mesh/mesh-transport.ts';
import type { Transport } from '../../cluster/transport/transport.ts';
import type { Logger } from '../../observe/log.ts';

/** How the nodes of this cluster are in touch, by the settings of its files. */
export function openTransport(parts: {
  readonly identity: ClusterIdentity;
  readonly joins: JoinListener;
  readonly version: string;
  readonly log: Logger;
}): Transport {
  const { identity, joins, version, log } = parts;
  const { listen } = identity.files.settings;
  return new MeshTransport({
    identity: identity.transportIdentity(),
    listen: splitAddress(listen),
    version,
    log,
    onJoin: joins.take,
  });
}

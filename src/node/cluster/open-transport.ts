import { readFileSync } from 'node:fs';
import type { ClusterIdentity } from '../../cluster/identity/cluster-identity.ts';
import type { JoinListener } from '../../cluster/identity/join-listener.ts';
import { splitAddress } from '../../cluster/identity/peer-address.ts';
import { MeshTransport } from '../../cluster/transport/mesh/mesh-transport.ts';
import { NatsTransport } from '../../cluster/transport/nats/nats-transport.ts';
import type { Transport } from '../../cluster/transport/transport.ts';
import { reasonOf } from '../../config/problem.ts';
import type { Logger } from '../../observe/log.ts';
import { StartError } from '../start-error.ts';
import { brokerOf } from './broker-address.ts';
import { TransportWithDoor } from './transport-with-door.ts';

/**
 * How the nodes of this cluster are in touch, by the settings of its files.
 * @throws StartError where a file that they name cannot be read.
 */
export function openTransport(parts: {
  readonly identity: ClusterIdentity;
  readonly joins: JoinListener;
  readonly version: string;
  readonly log: Logger;
}): Transport {
  const { identity, joins, version, log } = parts;
  const { listen, transport } = identity.files.settings;
  const common = { identity: identity.transportIdentity(), version, log };
  const mesh = new MeshTransport({ ...common, listen: splitAddress(listen), onJoin: joins.take });
  if (transport.kind === 'mesh') return mesh;
  const brokerCa =
    transport.caFile === undefined ? {} : { brokerCaCertificatesPem: [read(transport.caFile)] };
  const { servers, credentials } = brokerOf(transport.url);
  const { clusterKey } = identity.files;
  const nats = new NatsTransport({ ...common, ...brokerCa, clusterKey, servers, credentials });
  return new TransportWithDoor(nats, mesh);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const why = reasonOf(error);
    const message = `the CA file of the NATS broker cannot be read (${why}); correct "caFile" in cluster.json`;
    throw new StartError([{ code: 'unreadable-broker-ca', path: file, message }]);
  }
}

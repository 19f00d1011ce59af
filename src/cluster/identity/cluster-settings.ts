import { z } from 'zod';
import { parseBody } from '../../config/contract.ts';
import { type Parsed, reasonOf, refused } from '../../config/problem.ts';
import {
  MAX_NODE_ADDRESSES,
  membershipId,
  nodeRoles,
  peerAddress,
} from '../../config/resources/cluster-node.ts';
import { resourceName } from '../../config/resources/fields.ts';

/** A dozen nodes with some addresses each, and then some. */
const MAX_STATIC_PEERS = 256;

const hostName = z
  .string()
  .regex(/^[0-9a-zA-Z_]([0-9a-zA-Z_.-]{0,251}[0-9a-zA-Z])?\.?$/, 'must be a DNS name')
  .max(253);

/** How the nodes of a cluster are in touch. */
const clusterTransport = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('mesh') }),
  z.strictObject({
    kind: z.literal('nats'),
    /** Several servers of one broker, with commas. */
    url: z
      .string()
      .max(2048)
      .regex(/^(nats|tls):\/\/[^\s]+$/, 'must begin with nats:// or tls://'),
    /** PEM of the CA that the broker's certificate is of; without it, those that the system trusts. */
    caFile: z.string().min(1).max(4096).optional(),
  }),
]);

/** `cluster.json`: which cluster a node belongs to, and how it is reached and reaches others. */
export const clusterSettingsSchema = z.strictObject({
  version: z.literal(1),
  clusterId: membershipId,
  name: resourceName,
  region: resourceName,
  role: z.enum(nodeRoles).default('full'),
  membership: membershipId,
  listen: peerAddress,
  /** What peers are told; the address that is listened on, where it is one. */
  advertise: z.array(peerAddress).max(MAX_NODE_ADDRESSES).default([]),
  transport: clusterTransport.default({ kind: 'mesh' }),
  /** Where to find peers beside the configuration, which names them all once it is there. */
  peers: z.array(peerAddress).max(MAX_STATIC_PEERS).default([]),
  /** A name with SRV records (RFC 2782), such as `_meridian._tcp.example.net`. */
  srvName: hostName.optional(),
  /** A name whose addresses are the peers', such as a headless service of Kubernetes; the port is that of `listen`. */
  serviceName: hostName.optional(),
});

export type ClusterSettings = Readonly<z.infer<typeof clusterSettingsSchema>>;

/** Reads `cluster.json`; every mistake at once. */
export function parseClusterSettings(text: string, path: string): Parsed<ClusterSettings> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return refused('bad-cluster-file', path, `The file is not JSON: ${reasonOf(error)}.`);
  }
  return parseBody<ClusterSettings>(clusterSettingsSchema, value, path);
}

export function formatClusterSettings(settings: ClusterSettings): string {
  return `${JSON.stringify(settings, undefined, 2)}\n`;
}

/** What peers are told of where this node is. */
export function advertisedAddresses({ listen, advertise }: ClusterSettings): readonly string[] {
  if (advertise.length > 0) return advertise;
  return isUnspecified(listen) ? [] : [listen];
}

/** Whether an address means all of a machine's. */
export function isUnspecified(address: string): boolean {
  return /^(0\.0\.0\.0|\[(::|0(:0){7})\]):/.test(address);
}

import { createPrivateKey } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { issueNodeCertificate, newKeyPair, privateKeyPem } from '../../cluster/identity/certificate.ts';
import { identityFolder } from '../../cluster/identity/cluster-key.ts';
import { type ClusterSettings, formatClusterSettings } from '../../cluster/identity/cluster-settings.ts';
import { createCluster, newId, nodeOf } from '../../cluster/identity/create-cluster.ts';
import {
  createIdentityFiles,
  hasIdentity,
  type IdentityFiles,
  openCaKey,
  readIdentityFiles,
  SETTINGS_FILE,
} from '../../cluster/identity/identity-files.ts';
import { foundingChanges, nodeChange } from '../../cluster/identity/member-config.ts';
import { openStore } from '../../store/open-store.ts';
import { CommandError } from '../command.ts';
import { type DemoNode, type DemoPorts, demoNodes } from './demo-node.ts';

type Reach = Pick<ClusterSettings, 'listen' | 'advertise' | 'peers'>;

const [founder, ...others] = demoNodes;

/**
 * Sees to it that every node has its part in one cluster, in the folder of its name. All machines being one, nobody
 * has to be invited: the first node's CA makes the certificates, and its configuration names the nodes.
 */
export async function prepareIdentities(directory: string, ports: DemoPorts): Promise<void> {
  const present = demoNodes.filter(({ name }) => hasIdentity(join(directory, name)));
  if (present.length === 0) return found(directory, ports);
  if (present.length < demoNodes.length)
    throw new CommandError(
      `${directory} holds some nodes of a demo cluster and not all; begin anew with --fresh`,
    );
  for (const node of demoNodes) await adapt(join(directory, node.name), reachOf(node, ports));
}

async function found(directory: string, ports: DemoPorts): Promise<void> {
  const now = new Date();
  const first = createCluster(
    {
      name: founder.name,
      region: founder.region,
      ...reachOf(founder, ports),
      role: 'full',
      transport: { kind: 'mesh' },
    },
    now.getTime(),
  );
  const rest = others.map((node) => memberOf(first, node, reachOf(node, ports), now));
  const store = await openStore({ directory: join(directory, founder.name), now: () => new Date() });
  try {
    const changes = [
      ...foundingChanges(store.config, nodeOf(first, now)),
      ...rest.map((files) => nodeChange(nodeOf(files, now))),
    ];
    await store.commit(changes, { author: 'cluster', reason: 'meridian cluster demo' });
  } finally {
    await store.close();
  }
  for (const files of [first, ...rest])
    await createIdentityFiles(join(directory, files.settings.name), files);
}

function memberOf(first: IdentityFiles, node: DemoNode, reach: Reach, now: Date): IdentityFiles {
  const { clusterKey, sealedCaKey, caCertificatePem, settings } = first;
  const caKey = openCaKey(clusterKey, sealedCaKey);
  if (caKey === undefined) throw new Error('the key of the CA does not open');
  const { clusterId } = settings;
  const keys = newKeyPair();
  const authority = { certificatePem: caCertificatePem, privateKey: createPrivateKey(caKey) };
  const subject = { clusterId, name: node.name, publicKey: keys.publicKey };
  return {
    ...first,
    settings: { ...settings, ...reach, name: node.name, region: node.region, membership: newId() },
    certificatePem: issueNodeCertificate(authority, subject, now.getTime()),
    privateKeyPem: privateKeyPem(keys.privateKey),
  };
}

/** The ports may be others than the last time; the node tells its peers when it starts. */
async function adapt(dataDirectory: string, reach: Reach): Promise<void> {
  const files = await readIdentityFiles(dataDirectory);
  if (!files.ok) throw new CommandError(files.problems.map(({ message }) => message).join('\n'));
  if (files.value === undefined) return;
  const text = formatClusterSettings({ ...files.value.settings, ...reach });
  await writeFile(join(identityFolder(dataDirectory), SETTINGS_FILE), text, { mode: 0o600 });
}

/** The first knows the others from the configuration; they must find one of their peers to get it. */
function reachOf(node: DemoNode, { peer, behind }: DemoPorts): Reach {
  const peers = demoNodes.filter(({ name }) => name !== node.name);
  return {
    listen: `${node.address}:${behind}`,
    advertise: [`${node.address}:${peer}`],
    peers: peers.map(({ address }) => `${address}:${peer}`),
  };
}

import { createPrivateKey } from 'node:crypto';
import { join } from 'node:path';
import { issueNodeCertificate, newKeyPair, privateKeyPem } from '../../src/cluster/identity/certificate.ts';
import type { ClusterSettings } from '../../src/cluster/identity/cluster-settings.ts';
import { createCluster, newId, nodeOf } from '../../src/cluster/identity/create-cluster.ts';
import {
  createIdentityFiles,
  type IdentityFiles,
  openCaKey,
} from '../../src/cluster/identity/identity-files.ts';
import { foundingChanges, nodeChange } from '../../src/cluster/identity/member-config.ts';
import { openStore } from '../../src/store/open-store.ts';

/** A node as an operator describes it. */
export interface NodePlan {
  readonly name: string;
  readonly region: string;
  /** Host and port. */
  readonly listen: string;
  /** What peers are told; `listen` where nothing is given. */
  readonly advertise?: readonly string[];
  /** Where it finds peers beside those that the configuration names. */
  readonly peers?: readonly string[];
}

/** The identity of a cluster's first node. */
export function foundingIdentity(plan: NodePlan, nowMs = Date.now()): IdentityFiles {
  return createCluster({ ...settingsOf(plan), transport: { kind: 'mesh' } }, nowMs);
}

/** The identity of a further node, as one that is asked to let it in makes it. */
export function joiningIdentity(founder: IdentityFiles, plan: NodePlan, nowMs = Date.now()): IdentityFiles {
  const { clusterId, transport } = founder.settings;
  const caKey = openCaKey(founder.clusterKey, founder.sealedCaKey);
  if (caKey === undefined) throw new Error('the key of the CA does not open');
  const authority = { certificatePem: founder.caCertificatePem, privateKey: createPrivateKey(caKey) };
  const keys = newKeyPair();
  const subject = { clusterId, name: plan.name, publicKey: keys.publicKey };
  return {
    ...founder,
    settings: { ...settingsOf(plan), version: 1, clusterId, membership: newId(), transport },
    certificatePem: issueNodeCertificate(authority, subject, nowMs),
    privateKeyPem: privateKeyPem(keys.privateKey),
  };
}

/**
 * Makes the data directories `<below>/<name>` of a whole cluster: the first has them all in its configuration, the others
 * know only where it is, as after a join.
 */
export async function makeCluster(
  below: string,
  plans: readonly NodePlan[],
): Promise<ReadonlyMap<string, IdentityFiles>> {
  const [first, ...others] = plans;
  if (first === undefined) throw new Error('a cluster has a node at least');
  const founder = foundingIdentity(first);
  const meeting = founder.settings.advertise.length > 0 ? founder.settings.advertise : [first.listen];
  const identities = [
    founder,
    ...others.map((plan) => joiningIdentity(founder, { peers: meeting, ...plan })),
  ];
  const now = new Date();
  const directory = join(below, first.name);
  const store = await openStore({ directory, now: () => new Date() });
  const nodes = identities.slice(1).map((files) => nodeChange(nodeOf(files, now)));
  await store.commit([...foundingChanges(store.config, nodeOf(founder, now)), ...nodes], {
    author: 'test',
    reason: 'a cluster',
  });
  await store.close();
  for (const files of identities) await createIdentityFiles(join(below, files.settings.name), files);
  return new Map(identities.map((files) => [files.settings.name, files]));
}

function settingsOf({
  name,
  region,
  listen,
  advertise = [],
  peers = [],
}: NodePlan): Omit<ClusterSettings, 'version' | 'clusterId' | 'membership' | 'transport'> {
  return { name, region, role: 'full', listen, advertise: [...advertise], peers: [...peers] };
}

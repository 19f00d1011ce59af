import { mkdir } from 'node:fs/promises';
import { identityFolder } from '../../cluster/identity/cluster-key.ts';
import { clusterSettingsSchema } from '../../cluster/identity/cluster-settings.ts';
import { createCluster, nodeOf } from '../../cluster/identity/create-cluster.ts';
import { deriveSecret } from '../../cluster/identity/derived-secrets.ts';
import { createIdentityFiles, type IdentityFiles } from '../../cluster/identity/identity-files.ts';
import { foundingChanges } from '../../cluster/identity/member-config.ts';
import { parseBody } from '../../config/contract.ts';
import { type Flag, flagsUsage, readArguments, strayWord } from '../../flags.ts';
import { openStore } from '../../store/open-store.ts';
import { putSealKeyFirst } from '../../store/seal/seal-keys.ts';
import { type CommandBody, EXIT_OK, usageError } from '../command.ts';
import { refuseMember } from './cluster-data.ts';
import { dataDirectoryOf, newNodeFlags, newNodeOf, withFlag } from './cluster-flags.ts';

const flags: readonly Flag[] = [
  ...newNodeFlags,
  {
    name: 'nats',
    value: 'URL',
    variable: undefined,
    summary:
      'Meet over a NATS broker at nats://… or tls://…, instead of calling each other. For more than a dozen nodes.',
  },
  {
    name: 'srv-name',
    value: 'NAME',
    variable: undefined,
    summary: 'A DNS name whose SRV records name the peers.',
  },
  {
    name: 'service-name',
    value: 'NAME',
    variable: undefined,
    summary: 'A DNS name whose addresses are the peers, such as a headless service of Kubernetes.',
  },
];

const meetingSchema = clusterSettingsSchema.pick({ transport: true, srvName: true, serviceName: true });

export const initCommand: CommandBody = {
  usage: () => flagsUsage(flags),
  run: async (argv, { env, out }) => {
    const given = readArguments(argv, flags);
    if (given.words.length > 0) throw usageError(given.words.map(strayWord));
    const node = newNodeOf(given, env);
    const one = (name: string): string | undefined => given.values.get(name)?.at(-1);
    const url = one('nats');
    const meeting = parseBody(
      meetingSchema,
      {
        ...(url === undefined ? {} : { transport: { kind: 'nats', url } }),
        srvName: one('srv-name'),
        serviceName: one('service-name'),
      },
      '-',
    );
    if (!meeting.ok) throw usageError(meeting.problems.map(withFlag));
    const directory = dataDirectoryOf(given, env);
    refuseMember(directory);
    await mkdir(directory, { recursive: true });
    const now = new Date();
    const files = createCluster({ ...node, ...meeting.value, peers: [] }, now.getTime());
    await foundIn(directory, files, now);
    out(
      `cluster ${files.settings.clusterId} with the node ${node.name}; its keys are in ${identityFolder(directory)}`,
    );
    out('start the node, then let others in: meridian cluster invite');
    return EXIT_OK;
  },
};

/** The store first: without the folder, what it says of nodes means nothing. */
async function foundIn(directory: string, files: IdentityFiles, now: Date): Promise<void> {
  const store = await openStore({ directory, now: () => new Date() });
  try {
    const reason = 'meridian cluster init';
    await store.commit(foundingChanges(store.config, nodeOf(files, now)), { author: 'cluster', reason });
    putSealKeyFirst(directory, deriveSecret(files.clusterKey, 'seal'));
    await createIdentityFiles(directory, files);
  } finally {
    await store.close();
  }
}

/*
 * Runs in namespaces of its own: three nodes on hosts of their own, and what goes wrong between them. Told by a message
 * which fault is next, it answers `{ fault, error }`, the error undefined when all was as it must be.
 */

import { faults } from './cluster-faults.ts';
import { ClusterNodes, putZone } from './cluster-nodes.ts';
import { Network } from './namespaces.ts';

const NAMES = ['ams', 'fra', 'iad'] as const;

process.env.PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
process.on('disconnect', () => process.exit());

const network = new Network();
const hosts = new Map([...NAMES, 'web', 'stranger'].map((name) => [name, network.host(name)]));
const starting = ClusterNodes.start(NAMES, { hosts }).then(async (cluster) => {
  await putZone(cluster.node('ams').api);
  await cluster.allAnswer({ name: 'example.org', type: 'NS' }, ['ns1.example.org.']);
  return cluster;
});

process.on('message', (fault: string) => {
  void answer(fault).then((error) => process.send?.({ fault, error }));
});

async function answer(fault: string): Promise<string | undefined> {
  try {
    const cluster = await starting;
    if (fault === 'stop') await cluster.stop();
    else await faults[fault]?.({ cluster, network, hosts });
    return undefined;
  } catch (error) {
    network.heal();
    const said = await starting.then((cluster) => cluster.output()).catch(() => '');
    return `${error instanceof Error ? error.stack : error}\n${said}`;
  }
}

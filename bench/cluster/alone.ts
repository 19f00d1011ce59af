import { putAddress } from '../../test/e2e/cluster-nodes.ts';
import { addressesOf } from '../../test/e2e/dns-client.ts';
import { type Part, startFive } from './ground.ts';

/** A node that can reach no peer at its start: it serves what it has, takes writes, and catches up. */
export const alone: Part = async (_, tell) => {
  const cluster = await startFive({ links: 'breakable' });
  try {
    await cluster.kill('sin');
    cluster.reset('sin');
    await putAddress(cluster.node('ams').api, 'meanwhile', '192.0.2.1');
    await cluster.run('sin');
    const { process, api } = cluster.node('sin');
    const served = await addressesOf(process.dnsPort, { name: 'example.org', type: 'NS' });
    await putAddress(api, 'alone', '192.0.2.2');
    const own = await addressesOf(process.dnsPort, { name: 'alone.example.org', type: 'A' });
    const holds = served.length === 1 && own[0] === '192.0.2.2';
    tell(
      'all peers unreachable at start',
      holds ? 'serves, takes writes' : 'does not',
      'serves, takes writes',
      holds,
    );
    cluster.heal();
    const healedMs = performance.now();
    await cluster.allAnswer({ name: 'alone.example.org' }, ['192.0.2.2']);
    await cluster.allAnswer({ name: 'meanwhile.example.org' }, ['192.0.2.1']);
    const seconds = (performance.now() - healedMs) / 1000;
    tell('caught up, both ways', `${seconds.toFixed(1)} s after the links were back`, 'later', true);
  } finally {
    await cluster.stop();
  }
};

import { cpSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../until.ts';
import { ClusterNodes, PATIENCE_MS, putAddress, putZone } from './cluster-nodes.ts';
import { addressesOf } from './dns-client.ts';

/* Three real nodes, each a process, over links that can be cut: what happens to writes. The tests share the nodes. */

const NAMES = ['ams', 'fra', 'iad'] as const;

let cluster: ClusterNodes;

beforeAll(async () => {
  cluster = await ClusterNodes.start(NAMES, { links: 'breakable' });
  await putZone(cluster.node('ams').api);
  await cluster.allAnswer({ name: 'example.org', type: 'NS' }, ['ns1.example.org.']);
}, PATIENCE_MS);

afterAll(() => cluster?.stop());

/** Writes without a pause until told to end; which were acknowledged, by number. */
function writeUnderLoad(name: string, prefix: string): { end(): Promise<readonly number[]> } {
  const { api } = cluster.node(name);
  const acknowledged: number[] = [];
  let isOver = false;
  let next = 0;
  async function writeOn(): Promise<void> {
    while (!isOver) {
      const write = next++;
      try {
        await putAddress(api, `${prefix}${write}`, addressOf(write));
      } catch {
        return;
      }
      acknowledged.push(write);
    }
  }
  const all = Promise.all(Array.from({ length: 4 }, writeOn));
  return {
    end: async () => {
      isOver = true;
      await all;
      return acknowledged;
    },
  };
}

function addressOf(write: number): string {
  return `198.51.${100 + (write >> 8)}.${write & 0xff}`;
}

describe('writes in a cluster', { timeout: PATIENCE_MS }, () => {
  it('a write on any node is answered by all', async () => {
    for (const name of NAMES) await putAddress(cluster.node(name).api, `on-${name}`, '192.0.2.1');
    for (const name of NAMES) await cluster.allAnswer({ name: `on-${name}.example.org` }, ['192.0.2.1']);
    await cluster.node('iad').api.remove('/v1/zones/example.org/rrsets/on-ams.example.org/A');
    await cluster.allAnswer({ name: 'on-ams.example.org' }, []);
  });

  it('a node killed under write load loses nothing that it acknowledged, and catches up with the rest', async () => {
    const onKilled = writeUnderLoad('fra', 'killed');
    const onOther = writeUnderLoad('iad', 'other');
    await cluster.allAnswer({ name: 'killed9.example.org' }, [addressOf(9)]);
    await cluster.kill('fra');
    const killed = await onKilled.end();
    await cluster.allAnswer({ name: 'other19.example.org' }, [addressOf(19)]);
    const other = await onOther.end();
    await cluster.run('fra');
    await cluster.inTouch();
    const lost: string[] = [];
    for (const { name, process } of cluster.nodes)
      for (const [prefix, writes] of [['killed', killed] as const, ['other', other] as const])
        for (const write of writes) {
          const label = `${prefix}${write}`;
          await eventually(
            async () => {
              const [address] = await addressesOf(process.dnsPort, {
                name: `${label}.example.org`,
                type: 'A',
              });
              return address === addressOf(write) ? true : undefined;
            },
            { withinMs: 5000, what: label },
          ).catch(() => lost.push(`${label} on ${name}`));
        }
    expect({ lost, enough: killed.length > 9 && other.length > 19 }).toEqual({ lost: [], enough: true });
  });

  it('a partition makes one conflict, and both sides go on with the same', async () => {
    cluster.reset('iad');
    await putAddress(cluster.node('ams').api, 'both', '192.0.2.10');
    await putAddress(cluster.node('iad').api, 'both', '192.0.2.20');
    await putAddress(cluster.node('fra').api, 'left', '192.0.2.30');
    await putAddress(cluster.node('iad').api, 'right', '192.0.2.40');
    const seen = await addressesOf(cluster.node('iad').process.dnsPort, {
      name: 'left.example.org',
      type: 'A',
    });
    expect(seen).toEqual([]);
    cluster.heal();
    await cluster.allAnswer({ name: 'left.example.org' }, ['192.0.2.30']);
    await cluster.allAnswer({ name: 'right.example.org' }, ['192.0.2.40']);
    await cluster.inTouch();
    const [answer = ''] = await addressesOf(cluster.node('ams').process.dnsPort, {
      name: 'both.example.org',
      type: 'A',
    });
    expect(['192.0.2.10', '192.0.2.20']).toContain(answer);
    await cluster.allAnswer({ name: 'both.example.org' }, [answer]);
    const lists = await Promise.all(
      NAMES.map((name) => cluster.node(name).api.get<{ items: readonly { id: string }[] }>('/v1/conflicts')),
    );
    expect(lists[0]?.items.map(({ id }) => id)).toEqual(['rrsets/example.org./both.example.org. A']);
    expect(lists.slice(1)).toEqual([lists[0], lists[0]]);
  });

  it('a node alone at its start serves and takes writes, and catches up later', async () => {
    await cluster.kill('fra', 'SIGTERM');
    cluster.reset('fra');
    await putAddress(cluster.node('ams').api, 'meanwhile', '192.0.2.50');
    await cluster.run('fra');
    const { process, api } = cluster.node('fra');
    expect(await addressesOf(process.dnsPort, { name: 'left.example.org', type: 'A' })).toEqual([
      '192.0.2.30',
    ]);
    await putAddress(api, 'alone', '192.0.2.60');
    expect(await addressesOf(process.dnsPort, { name: 'alone.example.org', type: 'A' })).toEqual([
      '192.0.2.60',
    ]);
    cluster.heal();
    await cluster.allAnswer({ name: 'alone.example.org' }, ['192.0.2.60']);
    await cluster.allAnswer({ name: 'meanwhile.example.org' }, ['192.0.2.50']);
  });

  it('a node put back from an old copy of its directory reverts nothing', async () => {
    await putAddress(cluster.node('iad').api, 'changed', '192.0.2.70');
    await putAddress(cluster.node('iad').api, 'deleted', '192.0.2.71');
    await cluster.allAnswer({ name: 'deleted.example.org' }, ['192.0.2.71']);
    await cluster.kill('iad', 'SIGTERM');
    const copy = `${cluster.dataOf('iad')}.copy`;
    cpSync(cluster.dataOf('iad'), copy, { recursive: true });
    await cluster.run('iad');
    await putAddress(cluster.node('iad').api, 'changed', '192.0.2.72');
    await cluster.node('iad').api.remove('/v1/zones/example.org/rrsets/deleted.example.org/A');
    await putAddress(cluster.node('iad').api, 'newer', '192.0.2.73');
    await cluster.allAnswer({ name: 'newer.example.org' }, ['192.0.2.73']);

    await cluster.kill('iad');
    rmSync(cluster.dataOf('iad'), { recursive: true });
    cpSync(copy, cluster.dataOf('iad'), { recursive: true });
    await cluster.run('iad');
    await putAddress(cluster.node('iad').api, 'after', '192.0.2.74');
    await cluster.allAnswer({ name: 'after.example.org' }, ['192.0.2.74']);
    await cluster.allAnswer({ name: 'newer.example.org' }, ['192.0.2.73']);
    await cluster.allAnswer({ name: 'changed.example.org' }, ['192.0.2.72']);
    await cluster.allAnswer({ name: 'deleted.example.org' }, []);
  });

  it('has the same on every disk in the end, and the one conflict with both values', async () => {
    await cluster.inTouch();
    for (const name of NAMES) await cluster.kill(name, 'SIGTERM');
    const [first, ...others] = await Promise.all(NAMES.map((name) => cluster.onDisk(name)));
    expect(others).toEqual([first, first]);
    const ids = first?.conflicts.map((conflict) => conflict.slice(0, conflict.indexOf(':')));
    expect(ids).toEqual(['rrsets/example.org./both.example.org. A']);
    expect(first?.conflicts[0]).toMatch(/192\.0\.2\.[12]0.*192\.0\.2\.[12]0/);
  });
});

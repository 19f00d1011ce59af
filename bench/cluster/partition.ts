import { setTimeout as delay } from 'node:timers/promises';
import { type ClusterNodes, putAddress } from '../../test/e2e/cluster-nodes.ts';
import { NODES, type Part, rrsetsOf, startFive } from './ground.ts';

const SIDES = [
  ['ams', 'fra'],
  ['iad', 'nrt', 'sin'],
] as const;

/** Of the writes of a side, so many are to names that the other side writes, too. */
const SHARED = 100;

/** A partition of 60 s by relays that go silent, with 1,000 writes on each side, then the time until all nodes are equal. */
export const partition: Part = async ({ quick }, tell) => {
  const seconds = quick ? 8 : 60;
  const writes = quick ? 200 : 1000;
  const cluster = await startFive({ links: 'breakable' });
  try {
    cluster.divide(SIDES[0]);
    const endMs = performance.now() + seconds * 1000;
    await Promise.all(SIDES.map((side, index) => writeOn(cluster, side, index, writes, endMs)));
    await delay(Math.max(0, endMs - performance.now()));
    cluster.heal();
    const healedMs = performance.now();
    // What belongs to both sides, and the name servers' own.
    const wanted = 2 * writes - SHARED;
    const equalMs = (await untilEqual(cluster, wanted)) - healedMs;
    tell(
      `equal after a partition of ${seconds} s with ${writes} writes on each side`,
      `${(equalMs / 1000).toFixed(1)} s`,
      '3 s',
      equalMs <= 3000,
    );
    const lost = await lostWrites(cluster, writes);
    tell('writes lost', `${lost} of ${2 * writes}`, '0', lost === 0);
    for (const name of NODES) await cluster.kill(name, 'SIGTERM');
    const disks = await Promise.all(NODES.map((name) => cluster.onDisk(name)));
    const counts = disks.map(({ conflicts }) => conflicts.length);
    const isSame = disks.every((disk) => JSON.stringify(disk) === JSON.stringify(disks[0]));
    tell(
      'conflicts listed on each, the same everywhere',
      counts.join(' '),
      `${SHARED}`,
      isSame && counts[0] === SHARED,
    );
  } finally {
    await cluster.stop();
  }
};

function labelOf(side: number, write: number): string {
  return write < SHARED ? `shared${write}` : `side${side}-${write}`;
}

function addressOf(side: number, write: number): string {
  return `198.${18 + side}.${write >> 8}.${write & 0xff}`;
}

/** Spread over the time that is left, and over the nodes of the side. */
async function writeOn(
  cluster: ClusterNodes,
  side: readonly string[],
  index: number,
  writes: number,
  endMs: number,
): Promise<void> {
  for (let write = 0; write < writes; write++) {
    const { api } = cluster.node(side[write % side.length] ?? '');
    await putAddress(api, labelOf(index, write), addressOf(index, write));
    const leftMs = endMs - performance.now();
    await delay(Math.max(0, (leftMs / (writes - write)) * 0.5));
  }
}

async function untilEqual(cluster: ClusterNodes, wanted: number): Promise<number> {
  for (;;) {
    const atMs = performance.now();
    const all = await Promise.all(NODES.map((name) => rrsetsOf(cluster, name)));
    const [first, ...others] = all.map((rrsets) => JSON.stringify([...rrsets].toSorted()));
    if (others.every((other) => other === first) && (all[0]?.size ?? 0) >= wanted) return atMs;
    await delay(50);
  }
}

async function lostWrites(cluster: ClusterNodes, writes: number): Promise<number> {
  let lost = 0;
  const rrsets = await rrsetsOf(cluster, NODES[0]);
  for (let write = 0; write < writes; write++) {
    const found = SIDES.map((_, side) => {
      const records = rrsets.get(`${labelOf(side, write)}.example.org. A`) ?? '';
      return records.includes(`"${addressOf(side, write)}"`);
    });
    // Of two that met, one counts and the other is in the conflict.
    if (write < SHARED) lost += found.some((one) => one) ? 0 : 2;
    else lost += found.filter((one) => !one).length;
  }
  return lost;
}

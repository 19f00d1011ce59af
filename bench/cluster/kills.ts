import { setTimeout as delay } from 'node:timers/promises';
import { type ClusterNodes, putAddress } from '../../test/e2e/cluster-nodes.ts';
import { addressesOf } from '../../test/e2e/dns-client.ts';
import { freePort } from '../../test/e2e/endpoint-process.ts';
import { Asker, NODES, type Part, rrsetsOf, spread, startFive } from './ground.ts';

const WRITERS = 4;

/** Between the writes of one, so that it is the nodes that are busy. */
const WRITE_PAUSE_MS = 10;

/** kill -9 of one node after the other, at random moments, while it and another are written to. */
export const kills: Part = async ({ quick, rounds = quick ? 5 : 100 }, tell) => {
  const ports = new Map<string, number>();
  for (const name of NODES) ports.set(name, await freePort('127.0.0.1'));
  // A port that is known before the node runs, so that its first answer can be waited for.
  const cluster = await startFive({ flagsOf: (name) => ['--dns', `127.0.0.1:${ports.get(name)}`] });
  const acknowledged: string[] = [];
  const firstAnswers: number[] = [];
  let lostAtStart = 0;
  try {
    for (let round = 0; round < rounds; round++) {
      const victim = NODES[round % NODES.length] ?? NODES[0];
      const other = NODES[(round + 1) % NODES.length] ?? NODES[0];
      const onVictim = writers(cluster, victim, `r${round}v`);
      const onOther = writers(cluster, other, `r${round}o`);
      await delay(50 + 400 * Math.random());
      await cluster.kill(victim);
      const written = await onVictim.end();
      const asker = await Asker.open(ports.get(victim) ?? 0);
      const startedMs = performance.now();
      const [answeredMs] = await Promise.all([
        asker.until({ name: 'example.org', type: 'NS' }, (answers) => answers.length > 0, { everyMs: 2 }),
        cluster.run(victim),
      ]);
      asker.close();
      firstAnswers.push(answeredMs - startedMs);
      // Nobody needs to be asked: what it acknowledged is on its own disk.
      for (const label of written) {
        const [address] = await addressesOf(ports.get(victim) ?? 0, {
          name: `${label}.example.org`,
          type: 'A',
        });
        if (address !== '192.0.2.1') lostAtStart += 1;
      }
      acknowledged.push(...written, ...(await onOther.end()));
      await cluster.inTouch();
    }
    tell(
      `acknowledged writes lost by ${rounds} kills`,
      `${lostAtStart} at the start of the killed node`,
      '0',
      lostAtStart === 0,
    );
    const { text, max } = spread(firstAnswers);
    tell('first answer after kill -9, from the start of the process', text, '1000 ms', max <= 1000);
    for (const name of NODES) {
      const rrsets = await rrsetsOf(cluster, name);
      const lost = acknowledged.filter((label) => !rrsets.has(`${label}.example.org. A`)).length;
      tell(
        `acknowledged writes missing on ${name} in the end`,
        `${lost} of ${acknowledged.length}`,
        '0',
        lost === 0,
      );
    }
  } finally {
    await cluster.stop();
  }
};

function writers(cluster: ClusterNodes, name: string, prefix: string): { end(): Promise<readonly string[]> } {
  const { api } = cluster.node(name);
  const acknowledged: string[] = [];
  let isOver = false;
  let next = 0;
  async function writeOn(): Promise<void> {
    while (!isOver) {
      const label = `${prefix}${next++}`;
      try {
        await putAddress(api, label, '192.0.2.1');
      } catch {
        return;
      }
      acknowledged.push(label);
      await delay(WRITE_PAUSE_MS);
    }
  }
  const all = Promise.all(Array.from({ length: WRITERS }, writeOn));
  return {
    end: async () => {
      isOver = true;
      await all;
      return acknowledged;
    },
  };
}

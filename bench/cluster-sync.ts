/*
 * How long a new node takes to have everything: 100,000 RRsets in 100 zones from one store to an empty one, over a link
 * in memory and real databases; and how long a write takes to be visible in the other store. Both nodes share this
 * process and its main thread, so the time and the memory are those of two.
 * Options: --zones N (100), --rrsets N in each (1000), --writes N (500).
 */
import { spawnSync } from 'node:child_process';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { decodeFrame } from '../src/cluster/frame.ts';
import { ClusterSync } from '../src/cluster/sync/cluster-sync.ts';
import { processClock } from '../src/cluster/sync/sync-clock.ts';
import type { Change } from '../src/config/model.ts';
import { openStore } from '../src/store/open-store.ts';
import type { ReplicatedStore } from '../src/store/replicated-store.ts';
import { connect, type LinkEnd } from '../test/cluster/sync/local-link.ts';
import { address, alice, zone } from '../test/store/given.ts';
import { machineLine } from './ground/machine.ts';
import { percentile } from './ground/percentile.ts';
import { temporaryDirectory } from './ground/temporary.ts';

const { values } = parseArgs({
  options: {
    zones: { type: 'string', default: '100' },
    rrsets: { type: 'string', default: '1000' },
    writes: { type: 'string', default: '500' },
    /** Only fills this directory: in a process of its own, whose memory does not count. */
    fill: { type: 'string' },
  },
});
const [zones, rrsets, writes] = [Number(values.zones), Number(values.rrsets), Number(values.writes)];

if (values.fill === undefined) await measure();
else await fill(values.fill);

async function fill(directory: string): Promise<void> {
  const store = await openStore({ directory, now: () => new Date() });
  for (let number = 0; number < zones; number += 1) {
    const apex = `zone-${number}.example.`;
    const changes: Change[] = [zone(apex)];
    for (let host = 0; host < rrsets; host += 1)
      changes.push(address(apex, `host-${host}.${apex}`, `192.0.2.${host % 250}`));
    await store.commit(changes, alice);
  }
  await store.close();
}

async function measure(): Promise<void> {
  const [full, empty] = [temporaryDirectory('sync-full'), temporaryDirectory('sync-empty')];
  const sizes = ['--zones', `${zones}`, '--rrsets', `${rrsets}`];
  spawnSync(process.execPath, [import.meta.filename, '--fill', full, ...sizes], { stdio: 'inherit' });
  console.log(machineLine());
  const [source, target] = await Promise.all([openEnd('source', full), openEnd('target', empty)]);
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const startedMs = performance.now();
  const [session, other] = connect(source.end, target.end);
  await until(() => heads(source.store) === heads(target.store));
  const seconds = (performance.now() - startedMs) / 1000;
  const peakMb = process.resourceUsage().maxRSS / 1024;
  const octets = session.octetsSent + other.octetsSent;
  console.log(
    `first sync of ${zones} zones of ${rrsets} RRsets: ${seconds.toFixed(1)} s for both ends in one thread, ` +
      `${(octets / 2 ** 20).toFixed(1)} MiB in ${session.framesSent + other.framesSent} frames, ` +
      `peak ${peakMb.toFixed(0)} MiB for both, event loop held at most ${(delay.max / 1e6).toFixed(0)} ms`,
  );
  const { batchesReceived, messagesReceived } = target.sync.counters().documents;
  console.log(
    `${messagesReceived} messages in ${batchesReceived} batches, ${target.publications()} publications`,
  );
  await measureWrites(source.store, target.store);
  for (const { sync, store } of [source, target]) {
    sync.close();
    await store.close();
  }
}

async function measureWrites(from: ReplicatedStore, to: ReplicatedStore): Promise<void> {
  const times: number[] = [];
  for (let count = 0; count < writes; count += 1) {
    const apex = `zone-${count % zones}.example.`;
    const startedMs = performance.now();
    const visible = new Promise<void>((resolve) => {
      const stop = to.onDurable(() => {
        if (to.config.rrsets.get(apex)?.get(`written.${apex} A`)?.value.records[0] !== record(count)) return;
        stop();
        resolve();
      });
    });
    await from.commit([address(apex, `written.${apex}`, record(count))], alice);
    await visible;
    times.push(performance.now() - startedMs);
  }
  times.sort((a, b) => a - b);
  const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)].map((ms) => ms.toFixed(1));
  console.log(
    `${writes} writes to visible in the other store, one after the other: p50 ${p50} ms, p99 ${p99} ms`,
  );
}

function record(count: number): string {
  return `198.51.${(count >> 8) & 0xff}.${count & 0xff}`;
}

interface End {
  readonly store: ReplicatedStore;
  readonly sync: ClusterSync;
  readonly end: LinkEnd;
  readonly publications: () => number;
}

async function openEnd(name: string, directory: string): Promise<End> {
  const store = await openStore({ directory, now: () => new Date() });
  let publications = 0;
  const sync = new ClusterSync({
    store,
    clock: processClock,
    publish: () => {
      publications += 1;
    },
    blobArrived: () => undefined,
    refused: ({ reason }) => console.error(`bench: refused: ${reason}`),
  });
  const listener = {
    onUp: sync.onUp.bind(sync),
    onDrain: sync.onDrain.bind(sync),
    onDown: sync.onDown.bind(sync),
    onFrame: (session: Parameters<ClusterSync['onFrame']>[0], octets: Uint8Array): void => {
      const decoded = decodeFrame(octets);
      if (decoded.ok) sync.onFrame(session, decoded.frame);
    },
  };
  return { store, sync, end: { name, listener }, publications: () => publications };
}

function heads(store: ReplicatedStore): string {
  return [...store.heads()]
    .map(([id, hashes]) => `${id} ${hashes.join()}`)
    .sort()
    .join('\n');
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20));
}
